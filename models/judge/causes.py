"""What explains a wait that was too long: findings by whom they are about.

Knows: how near one finding is to another.  Must not know: how findings are found, records.

A bad day of a large cluster has thousands of waits and of causes: each wait is held against those near it alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from models.judge.findings import Finding


class Causes:
    """Findings that may explain others."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._all = list(findings)
        self._nodes: dict[int, list[Finding]] = defaultdict(list)
        self._groups: dict[str | None, list[Finding]] = defaultdict(list)
        """Of the groups themselves."""
        self._within: dict[str | None, list[Finding]] = defaultdict(list)
        """Of the groups and their members."""
        for finding in self._all:
            self._within[finding.group_name].append(finding)
            if finding.node is None:
                self._groups[finding.group_name].append(finding)
            else:
                self._nodes[id(finding.node)].append(finding)

    def of_group(self, name: str | None) -> Sequence[Finding]:
        """Those about a group itself."""
        return self._groups.get(name, ())

    def explain(self, stuck: Finding) -> Finding | None:
        """What was wrong when the wait was too long: with the entity itself, then around it, then with its members."""
        near = [
            (closeness, other.opened, other.episode, other)
            for closeness, others in self._near(stuck)
            for other in others
            if other.covers(stuck.opened)
        ]
        return max(near, key=lambda one: one[:3], default=(0, 0, "", None))[3]

    def _near(self, stuck: Finding) -> Iterator[tuple[int, Sequence[Finding]]]:
        """How near causes are to a wait, and which; those that have nothing to do with it are left out."""
        group = stuck.group_name
        if stuck.node is not None:
            yield 2, self._nodes.get(id(stuck.node), ())
            yield 1, self._groups.get(group, ()) if group is not None else ()
        elif group is not None:
            yield 2, self._groups.get(group, ())
            yield 0, [other for other in self._within.get(group, ()) if other.node is not None]
        else:  # the cluster waits for all of them
            yield 2, self._groups.get(None, ())
            yield 0, [other for other in self._all if other.node is not None or other.group is not None]
