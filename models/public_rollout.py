"""The public record of one software update (rollout) of an instance group.

Knows: names, order and meaning of its fields.  Must not know: rows, how any of it is found.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.public_anomaly import PublicModel, Time

Ids = tuple[str, ...]
RolloutOutcome = Literal[
    "Scheduled",
    "InProgress",
    "Baking",
    "Completed",
    "Failed",
    "RollingBack",
    "RolledBack",
    "RollbackFailed",
    "Superseded",
    "Unknown",
]
UNDER_WAY = ("Scheduled", "InProgress", "Baking", "RollingBack")


class BakeItem(PublicModel):
    """One baking period."""

    begun: Time | None = Field(description="Null where only its end was seen.")
    seconds: int | None = Field(description="How long it was to take.")
    due: Time | None = Field(description="When it is, or was, to be over.")
    ended: Time | None
    result: Literal["Running", "Passed", "Alarm", "Failed", "Unknown"]
    watched: Ids = Field(description="Alarms that are watched.")
    alarms: Ids = Field(description="Alarms that went off.")


class RolloutMembers(PublicModel):
    """The group's instances by what the rollout did to them last; each is in one list."""

    not_reached: Ids = Field(default=(), description="Members that nothing was done to.")
    prepared: Ids = Field(default=(), description="Cordoned, their pods evicted.")
    replacing_root_volume: Ids = ()
    updated: Ids = ()
    skipped: Ids = ()
    failed: Ids = ()
    rolling_back: Ids = ()
    rolled_back: Ids = ()
    rollback_failed: Ids = ()
    gone: Ids = Field(default=(), description="Replaced or terminated while nothing, or half of it, was done to them.")


class RollbackItem(PublicModel):
    """How far the rollback is."""

    begun: Time
    ended: Time | None
    touched: int = Field(description="Members that the rollout had done something to.")
    rolled_back: int
    failed: int
    gone: int = Field(description="Touched members that were replaced or terminated: they count as done.")


class Residue(PublicModel):
    """What a rollout that is over left behind: members whose own last step is not its outcome."""

    instances: Ids
    image: str | None = Field(description="The image that they should be off by now, where snapshots named it.")


class Estimate(PublicModel):
    """When it will be over, by what this group's own earlier rollouts took; null with a reason where nothing says."""

    ends_at: Time | None = Field(description="By the median of the earlier ones.")
    earliest: Time | None = Field(description="By the fastest of the earlier ones.")
    latest: Time | None = Field(description="By the slowest of the earlier ones.")
    seconds_per_instance: float | None = Field(description="The median, bakes and waits included.")
    n: int = Field(description="Earlier rollouts of this group that this rests on.")
    reason: str | None = Field(description="Why there is no end, where there is none.")


class RolloutItem(PublicModel):
    """One software update of a group."""

    cluster_arn: str
    cluster_name: str | None
    instance_group: str
    outcome: RolloutOutcome
    scheduled: Time | None = Field(description="Null where it began without a schedule.")
    begun: Time | None = Field(description="Null until it begins, and where that was not seen.")
    ended: Time | None = Field(description="Of a rolled-back one: when the rollback ended.")
    batches: int = Field(description="Batches selected so far; HyperPod does not say how many there will be.")
    last_batch: Time | None
    total: int = Field(description="Members that it found.")
    instances: RolloutMembers
    bakes: tuple[BakeItem, ...]
    rollback: RollbackItem | None
    from_image: str | None = Field(description="Known from snapshots only, like `to_image`.")
    to_image: str | None
    residue: Residue | None = Field(description="Null while it is under way.")
    estimate: Estimate | None = Field(description="Null once it is over.")
