"""The public records: names, order, bytes, and the schema that is shipped."""

from __future__ import annotations

import json

from models import public

INSTANCE_TEXT = """cluster_arn instance_group instance_id node_logical_id phase machines origin schedulable replaces
replaced_by lineage observed since last_event_time history"""
ANOMALY_TEXT = """schema_version anomaly_id revision kind severity status cluster_arn cluster_name instance_group
instance_id node_logical_id resource_type machine state cause title expected evidence count opened_at updated_at
resolved_at planned parent_id superseded_by silenced_by runbook"""
INSTANCE_FIELDS, ANOMALY_FIELDS = INSTANCE_TEXT.split(), ANOMALY_TEXT.split()


def instance(**fields: object) -> public.InstanceItem:
    given: dict[str, object] = {
        "cluster_arn": "arn:1",
        "instance_group": "g",
        "instance_id": "i-1",
        "node_logical_id": None,
        "phase": "InService",
        "machines": {"health": "Healthy", "patch": "None", "provision": "InService"},
        "origin": "observed",
        "schedulable": True,
        "since": public.iso(0),
        "last_event_time": public.iso(1),
    }
    return public.InstanceItem.model_validate({**given, **fields})


def anomaly(anomaly_id: str = "a", **fields: object) -> public.Anomaly:
    given: dict[str, object] = {
        "anomaly_id": anomaly_id,
        "revision": 1,
        "kind": "stuck",
        "severity": "critical",
        "status": "open",
        "cluster_arn": "arn:1",
        "resource_type": "Instance",
        "title": "Stuck",
        "opened_at": public.iso(0),
        "updated_at": public.iso(0),
    }
    return public.Anomaly.model_validate({**given, **fields})


def test_fields_stand_in_the_order_of_the_contract() -> None:
    assert list(instance().model_dump(by_alias=True)) == INSTANCE_FIELDS
    assert list(anomaly().model_dump(by_alias=True)) == ANOMALY_FIELDS
    item = public.HistoryItem(time=public.iso(5), event_id="e", code="c", machine="patch", from_="None", to="Prepared")
    assert list(item.model_dump()) == ["time", "event_id", "code", "machine", "from", "to"]


def test_the_document_is_strict_json_with_the_same_bytes_whatever_the_order_of_keys() -> None:
    one = public.Document(summary=public.Summary(ignored={"b": 1, "a": 2}), instances=(instance(),))
    machines = {"provision": "InService", "patch": "None", "health": "Healthy"}
    two = public.Document(summary=public.Summary(ignored={"a": 2, "b": 1}), instances=(instance(machines=machines),))
    assert public.dumps(one) == public.dumps(two)
    assert public.dumps(one).endswith(b"}\n")
    assert list(json.loads(public.dumps(one))["instances"][0]["machines"]) == ["provision", "patch", "health"]
    assert public.Document.model_validate_json(public.dumps(one)) == one


def test_lists_are_sorted_null_first_and_retracted_last() -> None:
    rows = [instance(), instance(instance_id=None, node_logical_id="n-2"), instance(instance_group=None)]
    named = [(item.instance_group, item.instance_id) for item in public.sort_instances(rows)]
    assert named == [(None, "i-1"), ("g", None), ("g", "i-1")]
    late = {"opened_at": public.iso(9)}
    found = public.sort_anomalies([anomaly("a", status="retracted"), anomaly("c"), anomaly("b"), anomaly("0", **late)])
    assert [item.anomaly_id for item in found] == ["b", "c", "0", "a"]
