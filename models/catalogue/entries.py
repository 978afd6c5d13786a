"""All entries in the order of AWS's reference.

Knows: the sections.  Must not know: how texts are matched.
"""

from __future__ import annotations

from models.catalogue.field import FIELD
from models.catalogue.instances import INSTANCES
from models.catalogue.lifecycle import LIFECYCLE
from models.catalogue.orchestrators import EKS, SLURM
from models.catalogue.patching import PATCHING, PATCHING_EKS, PATCHING_ROLLBACK
from models.catalogue.storage import STORAGE
from models.catalogue.template import Template

CATALOGUE: tuple[Template, ...] = (
    *LIFECYCLE,
    *INSTANCES,
    *STORAGE,
    *PATCHING,
    *EKS,
    *PATCHING_EKS,
    *PATCHING_ROLLBACK,
    *SLURM,
)
"""AWS's event reference, entry by entry."""

BY_CODE: dict[str, Template] = {template.code: template for template in (*CATALOGUE, *FIELD)}

__all__ = ["BY_CODE", "CATALOGUE", "FIELD"]
