"""Silences to every partition: the agent of `hyperpod.silences`, and its lane.

Knows: which records are silences.
Must not know: which anomalies they match, who writes them.

Anomalies are judged partition by partition from the records of `hyperpod.events` alone, so that is where a silence has
to go.  The last record of an id holds, and a null value takes it away; told twice it changes nothing.
"""

from __future__ import annotations

import msgspec

from streams import codecs
from streams.agents.forward import ForwardingLane
from streams.codecs import SilenceNews
from streams.deadletter.advice import NOT_A_SILENCE
from streams.message import Message
from streams.silences import NotASilence, dump, parse
from streams.topics import SILENCES_TABLE
from streams.transaction import Record

STEM = "silences-"


class SilencesLane(ForwardingLane):
    """The one partition of the silences topic."""

    table = SILENCES_TABLE
    kind = "silences"

    def fold(self, message: Message) -> None:
        """One record: a silence, or the end of one."""
        self.progress.counts.read += 1
        try:
            records = self._records_of(message)
        except (NotASilence, UnicodeDecodeError):
            self._bury(self._origin(message), message, NOT_A_SILENCE, message.value or b"", STEM)
        else:
            self._records += records

    def _records_of(self, message: Message) -> list[Record]:
        if message.offset in self.poison:  # before anything that may break on it again
            raise NotASilence("a fault of ours")
        key, data = b"silence|" + (message.key or b""), codecs.silenced(_news(message.key or b"", message.value))
        if not self._fits(key, data):
            raise NotASilence("it cannot be forwarded")
        return [Record(self.settings.events_topic, number, key, data) for number in range(self.settings.partitions)]


def _news(key: bytes, value: bytes | None) -> SilenceNews:
    name = key.decode()
    if value is None:
        return SilenceNews(name)
    silence = parse(value)
    if silence.silence_id != name:  # its successors would not replace it
        raise NotASilence("the key is not the silence_id")
    return SilenceNews(name, msgspec.Raw(dump(silence)))
