"""What unwrapping and reading end in: a value, an ignored one, or one that nobody can read.

Knows: the reasons of dead letters, the names of the forms and of AWS's detail types.
Must not know: how a form is recognised.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import msgspec
import orjson

from models.unwrap.plain import Plain

CLUSTER_EVENT: Final = "SageMaker HyperPod Cluster Event"
STATE_CHANGE: Final = "SageMaker HyperPod Cluster State Change"
NODE_HEALTH: Final = "SageMaker HyperPod Cluster Node Health Event"
HEARTBEAT: Final = "HyperPod State Heartbeat"
HEARTBEAT_SOURCE: Final = "hyperpod-state"

ENVELOPE: Final = "envelope"
DESCRIBE_CLUSTER_EVENT: Final = "DescribeClusterEvent"
DESCRIBE_CLUSTER: Final = "DescribeCluster"
LIST_CLUSTER_NODES: Final = "ListClusterNodes"


class Reason(StrEnum):
    """Why a value is a dead letter: public, so append only."""

    NOT_JSON = "not_json"
    INVALID_UTF8 = "invalid_utf8"
    """Bytes that are no UTF-8, or a `\\ud800` that UTF-8 cannot hold."""
    NOT_FINITE = "not_finite"
    """NaN, an infinity, or a number that no double can hold (1e999, a 400-digit integer)."""
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    NOT_AN_OBJECT = "not_an_object"
    NO_CLUSTER = "no_cluster"
    NO_TIME = "no_time"
    WRONG_TYPE = "wrong_type"
    """A core field of the wrong type, or an object that names a cluster and is of no known form."""
    TOO_MANY_KEYS = "too_many_keys"
    """One value has more members than any of AWS's can have within the size."""


class Ignored(msgspec.Struct, frozen=True):
    """A valid value of a type that this project does not know."""

    type: str


class Unreadable(msgspec.Struct, frozen=True):
    """A dead letter: `data` are the offending bytes, whole."""

    reason: Reason
    data: bytes


class Source:
    """One JSON text, which knows how its parts were spelled.

    Parts are remembered container by container: half a million broken elements of one array cost one look at it.
    """

    __slots__ = ("_members", "_most_keys", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._members: dict[tuple[str | int, ...], Any] = {}
        self._most_keys: int | None = None

    @property
    def most_keys(self) -> int:
        """As many keys as all values of the text can have together: each is followed by a colon."""
        if self._most_keys is None:
            self._most_keys = self.text.count(b":")
        return self._most_keys

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Source) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def cut(self, path: tuple[str | int, ...]) -> bytes:
        """The bytes of the part that keys and indices lead to, just as they stand."""
        return bytes(self._part(path)) if path else self.text

    def _part(self, path: tuple[str | int, ...]) -> Any:
        if not path:
            return self.text.removeprefix(b"\xef\xbb\xbf")
        container, step = path[:-1], path[-1]
        if container not in self._members:
            kind: Any = list[msgspec.Raw] if isinstance(step, int) else dict[str, msgspec.Raw]
            self._members[container] = msgspec.json.decode(self._part(container), type=kind)
        return self._members[container][step]


class Place(msgspec.Struct, frozen=True):
    """Where a value stood: the JSON text, and the keys and indices that lead to it in there."""

    source: Source
    path: tuple[str | int, ...] = ()

    def cut(self) -> bytes:
        """The value's own bytes, as they stood in the text."""
        return self.source.cut(self.path)


class Value(msgspec.Struct, frozen=True, gc=False):
    """One leaf value: an envelope or an API answer.

    `observed_ms` is the transport's time, where it has one.
    """

    form: str
    parsed: dict[str, Any] | None
    observed_ms: int | None = None
    place: Place | bytes | None = None
    """Where it stood; the text itself where the value is all of it."""
    plain: Plain | None = None
    """The fields of a plain envelope, which was parsed into them and into nothing else."""

    @property
    def body(self) -> dict[str, Any]:
        """The parsed object; for cluster events from the API always `{"EventDetails": {…}}` with the answer's siblings
        (`ResponseMetadata`, `ObservedAt`).
        """
        if self.parsed is not None:
            return self.parsed
        body: dict[str, Any] = orjson.loads(self.data)
        return body

    @property
    def written(self) -> dict[str, Any] | msgspec.Raw:
        """The body, to be written as JSON again, on one line: as it stood where it was parsed into its fields alone."""
        if self.parsed is not None:
            return self.parsed
        data = self.data
        return msgspec.Raw(msgspec.json.format(data, indent=-1) if b"\n" in data or b"\r" in data else data)

    @property
    def data(self) -> bytes:
        """The value as it stood on the wire; without a place, as it would be written again."""
        if self.place is None:
            return orjson.dumps(self.parsed)
        return self.place.cut() if isinstance(self.place, Place) else self.place
