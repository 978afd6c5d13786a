"""Runbooks of the feed itself: events that are missing, late, odd, or do not come at all.

Knows: what to look at and to do.
Must not know: how a page looks.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.public import AnomalyKind as K
from streams.runbooks.guide import Guide

_FEED = """
hyperpod-state doctor
# what EventBridge could not hand on, and what waits in the queue or beside it
aws events list-targets-by-rule --rule hyperpod-events
aws cloudwatch get-metric-statistics --namespace AWS/Events --metric-name FailedInvocations --dimensions Name=RuleName,Value=hyperpod-events --start-time 2026-10-05T09:00:00Z --end-time 2026-10-05T12:00:00Z --period 300 --statistics Sum
aws sqs get-queue-attributes --queue-url https://sqs.us-west-2.amazonaws.com/111122223333/hyperpod-events-dlq --attribute-names ApproximateNumberOfMessages
"""

GUIDES: Mapping[K, Guide] = {
    K.MISSING_EVENT: Guide(
        means="""
A machine took a step that its table only allows by way of others which nobody reported: an event was lost, or is still on its way.
The state is right all the same. It is shown at once, and published after a minute in which the event might still come.
""",
        shows="The title names the steps in between.",
        look="\nhyperpod-state history {INSTANCE}" + _FEED,
        act="""
# those that the API still has can be fed in, and count once
hyperpod-state backfill --cluster {CLUSTER}
""",
        page_aws="Never for one. EventBridge's delivery of HyperPod's events is best effort.",
        over="The record is retracted, not resolved: it was never true.",
    ),
    K.UNEXPECTED_TRANSITION: Guide(
        means="""
A machine took a step for which its table has no way at all. Events win: the step is taken, and reported. Either several events
are missing, or HyperPod does something that this program does not know.
""",
        shows="The title has the step, and the shortest way that would have been legal.",
        look="\nhyperpod-state history {INSTANCE}\nhyperpod-state graph instance/provision" + _FEED,
        act="""
# make sure of the present state
aws sagemaker describe-cluster-node --cluster-name {CLUSTER} --node-id {INSTANCE}
""",
        page_aws="Never. If nothing was lost, report it to this project, with the output of `history`.",
        over="The record is retracted, not resolved, where a late event explains it.",
    ),
    K.UNRECOGNIZED_EVENT: Guide(
        means="""
A sentence that this version's catalogue does not have, or a status word that it does not know. The event is applied (its fields
and the history have it), but it moves no machine. One record a shape and cluster, counted.
""",
        shows="The title is the shape, with ids and numbers as placeholders.",
        look="""
aws sagemaker describe-cluster-event --cluster-name {CLUSTER} --event-id {EVENT}
""",
        act="# look for a newer version of this program; else report the sentence to the project",
        page_aws="Never.",
    ),
    K.FEED_SILENT: Guide(
        means="""
An account and region that has sent [heartbeats](../feed.md) sends none for 15 minutes. Nothing is known of its clusters since then:
green is only what was last heard.
""",
        shows="One record for each cluster there; a `stuck` of it carries this as `parent_id`, unless something explains it better.",
        look=_FEED
        + """aws scheduler get-schedule --name hyperpod-state-heartbeat
aws events describe-rule --name hyperpod-events
""",
        act="""
# the same way as a heartbeat takes, by hand
aws events put-events --entries '[{"Source": "hyperpod-state", "DetailType": "HyperPod State Heartbeat", "Detail": "{}"}]'
""",
        page_aws="The test event is accepted (FailedEntryCount 0), the rule matches it, and its target gets nothing.",
    ),
    K.STALE: Guide(
        means="""
The newest event of an entity was read more than a day after it had happened: history, not news. So nothing of it can be late,
and no deadline runs until it speaks again.
""",
        shows="After a backfill, or after a queue was drained that had stood for a day.",
        look="hyperpod-state doctor",
        act="# nothing, if the history was wanted",
        page_aws="Never.",
    ),
    K.ZOMBIE: Guide(
        means="""
An event about an instance that is newer than its termination, and does not confirm it. Terminated is final: such an event is
kept in the history and moves nothing.
""",
        shows="Opened and resolved at once: a note. The instance stays `Terminated`.",
        look="hyperpod-state history {INSTANCE}",
        act="# nothing; if there are many, whether two feeds send events of different accounts under one ARN",
        page_aws="Never.",
    ),
    K.LATE_EVENT: Guide(
        means="""
An event older than the bound (24 hours of its entity, and older than its last 64 events). It changes the history and the counters,
no state. One note for an entity and day.
""",
        shows="Opened and resolved at once. What the state was at that time is not corrected.",
        look=_FEED,
        act="""
# to have it judged in its place: replay the events as files
hyperpod-state replay events.jsonl --at 2026-10-05T09:43:00Z
""",
        page_aws="EventBridge gives up after 24 hours. What is later was held up behind it, on your side.",
    ),
    K.CLOCK_SUSPECT: Guide(
        means="""
EventTime and the envelope's time differ by more than a day, or EventTime cannot be read. The envelope's time is used. One note for
an entity and day.
""",
        shows="Opened and resolved at once. AWS's own example differs by a year.",
        look="aws sagemaker describe-cluster-event --cluster-name {CLUSTER} --event-id {EVENT}",
        act="# whatever rewrites `time` on the way to Kafka should not",
        page_aws="The API's own answer has the wrong EventTime, for several events.",
    ),
}
