"""Where an anomaly tells its reader to go."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.explain.words import CHECK
from models.judge.runbooks import page_of
from tests.fleet import Fleet
from tests.stories import NAME, born, group, health, instance, script

LOG = (
    "https://us-west-2.console.aws.amazon.com/cloudwatch/home?region=us-west-2#logsV2:log-groups/log-group/"
    f"$252Faws$252Fsagemaker$252FClusters$252F{NAME}$252F0a1b2c3d4e5f/log-events/LifecycleConfig$252Fworkers$252Fi-1"
)


def test_a_script_that_failed_leads_to_its_log(fleet: Fleet) -> None:
    fleet.sees(instance("InstanceProvisioned", "i-1"), script("i-1", "Started"), script("i-1", "Failed"))
    assert fleet.only("lifecycle_script_failed").runbook == LOG


def test_a_failure_that_is_put_down_to_the_script_leads_there_too(fleet: Fleet) -> None:
    told = "Lifecycle scripts did not run successfully."
    fleet.sees(born("i-1")[0], instance("InstanceOperationFailed", "i-1", "creation").because(told))
    assert fleet.only("operation_failed").runbook == LOG


def test_a_script_of_nobody_knows_which_instance_leads_to_the_page_of_its_kind(fleet: Fleet) -> None:
    told = "Lifecycle scripts did not run successfully."
    fleet.sees(group("InstanceProvisionFailed").because(told))
    assert fleet.only("operation_failed").runbook == page_of("operation_failed")


def test_any_other_anomaly_leads_to_the_page_of_its_kind(fleet: Fleet) -> None:
    fleet.sees(health("i-1", "Unhealthy"))
    assert fleet.only("unhealthy_node").runbook == "docs/runbooks/unhealthy_node.md"


@pytest.mark.parametrize("kind", CHECK)
def test_every_kind_has_its_page(kind: str) -> None:
    assert Path(page_of(kind)).read_text(encoding="utf-8").startswith(f"# {kind}\n")
