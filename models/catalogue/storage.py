"""Event texts of the FSx file systems that HyperPod keeps for instance groups.

Knows: the texts, word for word, and what they mean.  Must not know: how they are matched.
"""

from __future__ import annotations

from models.catalogue.template import Template, section

_fsx = section("FSx filesystem lifecycle", "InstanceGroup")

STORAGE: tuple[Template, ...] = (
    _fsx(
        "FsxCreationStarted",
        "FSx creation started",
        "FSx creation started for IG <instance-group-name> in Cluster <cluster-name>",
        "A file system for the group is being made.",
        example="FSx creation started for IG gpu in Cluster train",
        near_miss="FSx creation started in Cluster train",
    ),
    _fsx(
        "FsxCreationFailed",
        "FSx creation failed",
        "Failed to create FSx for IG <instance-group-name> in Cluster <cluster-name>",
        "The group has no file system, because it could not be made.",
        level="Error",
        example="Failed to create FSx for IG gpu in Cluster train",
        near_miss="Failed to create FSx volume for IG gpu in Cluster train",
    ),
    _fsx(
        "FsxCreationCompleted",
        "FSx creation completed",
        "FSx creation successfully completed for IG <instance-group-name> in Cluster <cluster-name>",
        "The group's file system is there.",
        example="FSx creation successfully completed for IG gpu in Cluster train",
        near_miss="FSx creation completed for IG gpu in Cluster train",
    ),
    _fsx(
        "FsxDeletionStarted",
        "FSx deletion started",
        "FSx deletion started for IG <instance-group-name> in Cluster <cluster-name>",
        "The group's file system is being removed.",
        example="FSx deletion started for IG gpu in Cluster train",
        near_miss="FSx removal started for IG gpu in Cluster train",
    ),
    _fsx(
        "FsxDeletionFailed",
        "FSx deletion failed",
        "Failed to delete FSx for IG <instance-group-name> in Cluster <cluster-name>",
        "The group's file system is still there and may still cost money.",
        level="Error",
        example="Failed to delete FSx for IG gpu in Cluster train",
        near_miss="Failed to delete FSx for Cluster train",
    ),
    _fsx(
        "FsxDeletionCompleted",
        "FSx deletion completed",
        "FSx deletion successfully completed for IG <instance-group-name> in Cluster <cluster-name>",
        "The group's file system is gone.",
        example="FSx deletion successfully completed for IG gpu in Cluster train",
        near_miss="FSx deletion successfully completed for gpu in Cluster train",
    ),
    _fsx(
        "FsxUpdateStarted",
        "FSx update started",
        "FSx update started for IG <instance-group-name> in Cluster <cluster-name>",
        "The group's file system is being changed.",
        example="FSx update started for IG gpu in Cluster train",
        near_miss="FSx update has started for IG gpu in Cluster train",
    ),
    _fsx(
        "FsxUpdateFailed",
        "FSx update failed",
        "Failed to update FSx for IG <instance-group-name> in Cluster <cluster-name>",
        "The change of the group's file system did not work.",
        level="Error",
        example="Failed to update FSx for IG gpu in Cluster train",
        near_miss="Failed to update FSx for IG gpu",
    ),
    _fsx(
        "FsxUpdateCompleted",
        "FSx update completed",
        "FSx update successfully completed for IG <instance-group-name> in Cluster <cluster-name>",
        "The group's file system has its new settings.",
        example="FSx update successfully completed for IG gpu in Cluster train",
        near_miss="FSx update successfully completed for IG gpu on Cluster train",
    ),
)
