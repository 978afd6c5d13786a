package bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** The small standard step, line by line that of benchmarks/small_step.py. */
public final class Step {
    static final int KEEP = 3;
    private static final Map<String, String> CODES = Map.of(
        "EC2 instance {i} successfully provisioned in Cluster {c} and IG {g}", "EC2Provisioned",
        "Instance lifecycle script execution for {i} has Started", "ScriptStarted",
        "Instance lifecycle script execution for {i} has Succeeded", "ScriptSucceeded",
        "Instance lifecycle script execution for {i} has Failed", "ScriptFailed",
        "Instance {i} in IG {g} cordoned and pods evicted.", "PatchPrepared",
        "Root volume replacement started for Instance {i} in IG {g}.", "RootVolumeReplacement",
        "Instance {i} in IG {g} updated successfully.", "InstancePatched",
        "Instance {i} in IG {g} restored to schedulable state.", "SchedulableRestored");
    private static final Map<String, String> STATES = Map.of(
        "EC2Provisioned", "Provisioned",
        "ScriptStarted", "LifecycleScript",
        "ScriptSucceeded", "InService",
        "ScriptFailed", "Failed",
        "PatchPrepared", "Patching",
        "RootVolumeReplacement", "Patching",
        "InstancePatched", "InService",
        "SchedulableRestored", "InService");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final ObjectReader ENVELOPES = JSON.readerFor(Envelope.class);
    private static final ObjectReader ROWS = JSON.readerFor(Row.class);
    private static final ObjectWriter WRITER = JSON.writer();

    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Record {
        public String EventId;
        public String ClusterArn;
        public String ClusterName;
        public String InstanceGroupName;
        public String InstanceId;
        public long EventTime;
        public String Description;
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Detail {
        public Record EventDetails;
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Envelope {
        public Detail detail;
    }

    static Record parse(byte[] value) {
        try {
            return ENVELOPES.<Envelope>readValue(value).detail.EventDetails;
        } catch (IOException error) {
            throw new IllegalArgumentException(error);
        }
    }

    static Row decode(byte[] data) {
        try {
            return ROWS.readValue(data);
        } catch (IOException error) {
            throw new IllegalArgumentException(error);
        }
    }

    static byte[] encode(Object value) {
        try {
            return WRITER.writeValueAsBytes(value);
        } catch (IOException error) {
            throw new IllegalArgumentException(error);
        }
    }

    static String key(Record record) {
        return record.ClusterArn + "|" + record.InstanceId;
    }

    static String classify(Record record) {
        String masked = once(record.Description, record.InstanceId, "{i}");
        masked = once(masked, record.InstanceGroupName, "{g}");
        return CODES.get(once(masked, record.ClusterName, "{c}"));
    }

    private static String once(String text, String name, String mask) {
        int at = text.indexOf(name);
        return at < 0 ? text : text.substring(0, at) + mask + text.substring(at + name.length());
    }

    /** Moves the row; returns the anomaly's record, or null. */
    static byte[] step(Row row, Record record) {
        String code = classify(record);
        String state = STATES.get(code);
        if (!state.equals(row.state)) {
            row.state = state;
            row.since = record.EventTime;
        }
        row.events++;
        row.last_event_time = record.EventTime;
        if (row.moves.size() == KEEP) {
            row.moves.remove(0);
        }
        row.moves.add(new Object[] {record.EventTime, record.EventId, code});
        if (!code.equals("ScriptFailed")) {
            return null;
        }
        row.failures++;
        Map<String, Object> anomaly = new LinkedHashMap<>();
        anomaly.put("kind", code);
        anomaly.put("entity", row.instance_id);
        anomaly.put("cluster", row.cluster_arn);
        anomaly.put("at", record.EventTime);
        return encode(anomaly);
    }

    static Row begin(Record record) {
        Row row = new Row();
        row.cluster_arn = record.ClusterArn;
        row.cluster_name = record.ClusterName;
        row.instance_group = record.InstanceGroupName;
        row.instance_id = record.InstanceId;
        return row;
    }

    private Step() {}
}
