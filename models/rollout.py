"""What a group's row keeps of a software update.

Knows: its fields.  Must not know: how they are filled (`models.steps.rollouts`), what follows from them.
"""

from __future__ import annotations

import msgspec


class Bake(msgspec.Struct, omit_defaults=True, gc=False):
    """One baking period of a rollout."""

    begun: int | None = None
    """None where only its end was seen."""
    seconds: int = 0
    watched: list[str] = []
    ended: int | None = None
    alarms: list[str] = []
    """Those that went off."""
    result: str | None = None
    """Passed, Alarm or Failed; None while it lasts, and where its end was not seen."""


class Rollout(msgspec.Struct, omit_defaults=True, gc=False):
    """One software update of a group."""

    begun: int | None = None
    """When it was scheduled, or began without a schedule."""
    unseen: bool = False
    """It was met in its course: what was done to members before may be of it."""
    ended: int | None = None
    rollback_begun: int | None = None
    rollback_ended: int | None = None
    started: int | None = None
    """When it was first in progress."""
    result: str | None = None
    """Completed, Failed or Superseded: how it ended, before any rollback."""
    concluded: int | None = None
    """When it completed after all, although a step had failed."""
    rollback_result: str | None = None
    """The state in which the group's rollback ended."""
    batches: int = 0
    last_batch: int | None = None
    bakes: list[Bake] = []
    from_image: str | None = None
    to_image: str | None = None
    met: bool = False
    """Whether a snapshot has shown one image only since it ended."""
