package bench;

import java.util.ArrayList;
import java.util.List;

/** What is known of one instance; the same fields as Row in benchmarks/small_step.py. */
public final class Row {
    public String cluster_arn;
    public String cluster_name;
    public String instance_group;
    public String instance_id;
    public String state = "Unknown";
    public long since;
    public int events;
    public int failures;
    public long last_event_time;
    /** Time, event id and code of the newest transitions. */
    public List<Object[]> moves = new ArrayList<>();
}
