"""What each reason of a dead letter means, and what mends it.

Knows: the reasons.
Must not know: Kafka, commands.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.unwrap import Reason

NOT_A_LETTER = "not_a_letter"
NOT_A_SILENCE = "not_a_silence"
INTERNAL_ERROR = "internal_error"
ROW_TOO_LARGE = "row_too_large"
POISON = frozenset({INTERNAL_ERROR, ROW_TOO_LARGE})
"""Reasons for which an event that was read is left out of the state."""


@dataclass(frozen=True)
class Advice:
    """In words, and whether feeding the value again can ever help."""

    meaning: str
    do: str
    again: bool = True


ADVICE = {
    Reason.NOT_JSON: Advice(
        "The bytes are not JSON: cut off, or not meant for this topic.",
        "Look at the first and last bytes (`deadletter show KEY`). If they are cut off, raise the producer's size "
        "limit and send the event again from its source; if they are another program's, keep it from this topic.",
    ),
    Reason.INVALID_UTF8: Advice(
        "The bytes are not UTF-8, or hold half of a surrogate pair.",
        "The producer writes another encoding, or compresses by itself: have it send the JSON as UTF-8, then send the "
        "event again from its source.",
    ),
    Reason.NOT_FINITE: Advice(
        "A number is NaN, infinite, or larger than any double.",
        "Strict JSON has no such number: have the producer write null instead, then send the event again.",
    ),
    Reason.TOO_DEEP: Advice(
        "Arrays and objects lie more than 64 deep within each other.",
        "No event of AWS does: find what wraps it again and again, usually a pipe that reads its own output.",
    ),
    Reason.TOO_LARGE: Advice(
        "The value is larger than 1 MB.",
        "Have the producer send fewer events in one record: an array may be split anywhere.",
    ),
    Reason.NOT_AN_OBJECT: Advice(
        "JSON, but a number, a text, true or false where an event should be.",
        "Look at what sends it: an input transformer of EventBridge that passes one field only is the usual cause.",
    ),
    Reason.NO_CLUSTER: Advice(
        "The event names no cluster: no ClusterArn, and no resources[0].",
        "An input transformer or a wrapper dropped it: pass the whole event, then send it again. An answer of "
        "ListClusterNodes needs a sibling ClusterArn.",
    ),
    Reason.NO_TIME: Advice(
        "Neither EventTime nor the envelope's time can be read.",
        "Have the envelope passed whole; of an API's answer keep ResponseMetadata, or add ObservedAt.",
    ),
    Reason.WRONG_TYPE: Advice(
        "A core field has a type that it never has, or a known cluster comes in no known form.",
        "`deadletter show KEY` shows the value. If AWS changed its form, update hyperpod-state and feed it again.",
    ),
    INTERNAL_ERROR: Advice(
        "hyperpod-state failed on it: a fault of this program.",
        "Report it with the error of that moment from the worker's log; after an update feed it again.",
    ),
    ROW_TOO_LARGE: Advice(
        "The event is well, but with it a record of the state would be larger than Kafka takes.",
        "The worker's log names the row and the limit. Raise HYPERPOD_STATE_MAX_RECORD_BYTES and the topics' "
        "max.message.bytes, or lower HYPERPOD_STATE_CEILING_BYTES; then feed it again.",
    ),
    "foreign": Advice(
        "A record of the internal topic that is none of the worker's.",
        "Find what else writes to that topic, and keep it away: events belong into the raw topic.",
        again=False,
    ),
    NOT_A_SILENCE: Advice(
        "A record of the silences topic that is no silence, or whose key is not its silence_id.",
        "Write it with `silence add`, or as docs/silences.md describes it.",
        again=False,
    ),
    NOT_A_LETTER: Advice(
        "A record of the dead-letter topic that the worker did not write.",
        "Find what else writes to that topic, and keep it away.",
        again=False,
    ),
}
UNKNOWN = Advice("A reason that this version does not know.", "Use the version of hyperpod-state that wrote it.")


def advice(reason: str) -> Advice:
    """For any reason, also of another version."""
    return ADVICE.get(reason, UNKNOWN)
