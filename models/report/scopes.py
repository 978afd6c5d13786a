"""The scopes that figures are told of: everything, a cluster, a group, an instance type, a cause.

Knows: names and types.  Must not know: what lies in a scope.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from models.public import Picture

_ORDER = ("fleet", "cluster", "instance_group", "instance_type", "cause")


class Scope(NamedTuple):
    """One scope; what is None does not narrow it.  The names are the record's."""

    by: str
    cluster_arn: str | None = None
    cluster_name: str | None = None
    instance_group: str | None = None
    instance_type: str | None = None
    cause: str | None = None

    @property
    def place(self) -> tuple[object, ...]:
        """Its place in the report."""
        return (_ORDER.index(self.by), *(name or "" for name in (self[1], *self[3:])))

    @property
    def without_cause(self) -> Scope:
        """Of a cause: the scope that it is one cause of."""
        return FLEET if self.cluster_arn is None else self._replace(by="instance_group", cause=None)


FLEET = Scope("fleet")


class Scopes:
    """Which scopes something is in."""

    def __init__(self, picture: Picture) -> None:
        self.names = {item.cluster_arn: item.cluster_name for item in picture.clusters}
        self._types = {(item.cluster_arn, item.instance_group): item.instance_type for item in picture.group_types}
        self._known: dict[tuple[str, str | None], tuple[Scope, ...]] = {}

    def of_cluster(self, arn: str) -> tuple[Scope, ...]:
        """Of something that is the cluster's own."""
        return FLEET, Scope("cluster", arn, self.names.get(arn))

    def of_group(self, arn: str, group: str | None) -> tuple[Scope, ...]:
        """Of something that is in a group; of no known group and type, where nobody said."""
        if (arn, group) not in self._known:
            kind = self._types.get((arn, group or ""))
            own = Scope("instance_group", arn, self.names.get(arn), group, kind)
            self._known[arn, group] = (*self.of_cluster(arn), own, Scope("instance_type", instance_type=kind))
        return self._known[arn, group]

    def of_cause(self, arn: str, group: str | None, cause: str) -> Iterator[Scope]:
        """A cause everywhere, and in the group."""
        yield Scope("cause", cause=cause)
        yield self.of_group(arn, group)[2]._replace(by="cause", cause=cause)


def around(own: Scope) -> tuple[Scope, ...]:
    """A group's own scope, and the wider ones that it is in."""
    of_cluster = Scope("cluster", own.cluster_arn, own.cluster_name)
    return FLEET, of_cluster, own, Scope("instance_type", instance_type=own.instance_type)
