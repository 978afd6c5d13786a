"""`describe`: one sentence, and what it rests on, over a socket."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator

import pytest
import yaml

from streams.cli.output import Format
from tests.test_streams.serving import Held, anomaly, picture, served
from tests.test_streams.told import NEW, OLD, REPLACING, incident


@pytest.fixture(scope="module")
def worker() -> Iterator[str]:
    with incident(REPLACING) as address:
        yield address


def test_an_instance_in_one_sentence_and_its_parts(run, worker: str):
    done = run("describe", "instance", NEW, "--server", worker)
    assert (done.code, done.err) == (0, "")
    sentence, *rest = done.out.splitlines()
    assert sentence.startswith(f"{NEW} (in place of {OLD}) is Replacing for 12 min (since 2026-10-05T09:42:40Z)")
    assert "because of ReplacementStarted (Instance replacement started)" in sentence
    assert "expected next: script succeeded, then replacement completed (slow at 2026-10-05T10:23:00Z" in sentence
    titles = [line.split("  ")[0] for line in rest if line[:2].isalpha() and line[:2].isupper()]
    assert titles == ["MACHINE", "WAITING", "LINEAGE (2)", "INSTANCE", "LAST CHANGES (4)", "TIME"]
    assert any(line.startswith(f"└ {NEW}  ↻ Replacing   1") and " 13.0 " in line for line in rest)
    assert any(line.startswith(OLD) and "unhealthy_node" in line for line in rest)


def test_a_group_and_a_cluster_show_their_members(run, worker: str):
    group = run("describe", "group", "workers", "--server", worker)
    assert group.out.startswith("workers (3 of 4 wanted in service) is Degraded for 12 min")
    assert "members    3 InService, 1 Replacing" in group.out
    assert "LAST CHANGES (10)" in group.out
    cluster = run("describe", "cluster", "demo-eks", "--server", worker)
    assert cluster.out.startswith("demo-eks is InService for 38 min")
    assert "where workers is Degraded" in cluster.out


def test_open_anomalies_are_listed(run):
    with incident("2026-10-05T10:55:00.000Z") as address:
        done = run("describe", "group", "workers", "--server", address)
        assert "OPEN ANOMALIES (6)" in done.out
        assert "bake_alarm" in done.out
        assert "every touched member is rolled back" in done.out.splitlines()[0]
        assert "OPEN ANOMALIES (1)" in run("describe", "instance", NEW, "--server", address).out


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize(("kind", "name"), [("instance", NEW), ("group", "workers"), ("cluster", "demo-eks")])
def test_in_every_form(run, worker: str, kind: str, name: str, form: Format):
    done = run("describe", kind, name, "--server", worker, "-o", form)
    assert done.code == 0, done.err
    if form in (Format.table, Format.wide):
        assert "\x1b" not in done.out
        return
    body = yaml.safe_load(done.out) if form is Format.yaml else json.loads(done.out)
    assert (body["kind"], body["name"]) == (kind, name)
    assert body["sentence"].endswith(".")
    assert {"phase", "since", "because", "expects", "machines", "lineage", "anomalies", "changes"} <= set(body)


def test_an_incident_has_no_members_that_were_taken_back(run):
    of = {"parent_id": "whole", "instance_id": "i-1"}
    members = [anomaly("told").model_copy(update=of), anomaly("taken", status="retracted").model_copy(update=of)]
    shown = picture().model_copy(update={"anomalies": (anomaly("whole"), *members)})
    with served(Held(shown=shown)) as address:
        done = run("describe", "anomaly", "whole", "-o", "json", "--server", address)
    assert [each["anomaly_id"] for each in json.loads(done.out)["members"]] == ["told"]


def test_who_is_paged_describes_the_anomaly_by_the_id_in_the_page(run):
    """A page, a webhook and the topic name an anomaly by its `anomaly_id`, and by nothing else."""
    with incident("2026-10-05T10:55:00.000Z") as address:
        everything = json.loads(run("get", "anomalies", "--status", "all", "-o", "json", "--server", address).out)[
            "items"
        ]
        member = next(each for each in everything if each["parent_id"])
        done = run("describe", "anomaly", member["parent_id"], "--server", address)
        assert (done.code, done.err) == (0, "")
        assert member["title"] in done.out.split("MEMBERS (")[1]
        assert all(word in done.out for word in ("check first", "clears on", "demo-eks / workers"))
        (link,) = re.findall(r"^RUNBOOK  (\S+)$", done.out, flags=re.MULTILINE)
        with urllib.request.urlopen(link, timeout=30) as page:
            assert "Commands are for cluster <code>demo-eks</code>" in page.read().decode()
        own = json.loads(run("describe", "anomaly", member["anomaly_id"], "-o", "json", "--server", address).out)
        assert own["parent"]["anomaly_id"] == member["parent_id"]
        assert own["check_first"]
        assert {key: own[key] for key in member} == member
        lost = run("describe", "anomaly", "nope", "--server", address)
        assert (lost.code, lost.out) == (1, "")
        assert "get anomalies" in lost.err


def test_names_that_are_not_there_or_not_one(run, worker: str):
    for kind in ("instance", "group", "cluster"):
        done = run("describe", kind, "nope", "--server", worker)
        assert (done.code, done.out) == (1, "")
        assert "'nope'" in done.err
        assert f"`hyperpod-state get {kind}s`" in done.err, "the way out can be typed as it stands"
    assert "`hyperpod-state get instances`" in run("history", "nope", "--server", worker).err
    assert run("describe", "nothing", "x", "--server", worker).code == 2
    with served(Held()) as address:
        done = run("describe", "group", "p5-train", "--server", address)
        assert done.code == 2
        assert "--cluster" in done.err
        assert run("describe", "group", "p5-train", "--cluster", "ml-dev", "--server", address).code == 0
        assert run("describe", "instance", "slot-9", "--server", address).code == 0
    assert run("describe", "cluster", "x", "--server", "http://127.0.0.1:1").code == 3
