"""`history`: the story of one instance, over a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml

from models import public
from models.catalogue import BY_CODE
from streams.cli.output import Format
from tests.test_streams.serving import ARN, OTHER, Held, cluster, group, instance, served
from tests.test_streams.told import NEW, OLD, OVER, incident


@pytest.fixture(scope="module")
def worker() -> Iterator[str]:
    with incident(OVER) as address:
        yield address


def test_it_is_told_oldest_first_with_cause_and_event(run, worker: str):
    done = run("history", OLD, "--server", worker)
    assert (done.code, done.err) == (0, "")
    head, *lines = done.out.splitlines()
    assert head.split() == ["TIME", "MACHINE", "CHANGE", "CAUSE", "EVENT", "ID", "IN", "WORDS"]
    times = [line.split()[0] for line in lines]
    assert times == sorted(times)
    last = lines[-1]
    assert "Terminating → Terminated" in last
    assert "EniDeleted" in last
    assert "Customer ENI deleted" in last
    assert any("Unknown → Unhealthy" in line and "NodeHealth" in line for line in lines)


def test_a_group_and_a_cluster_have_stories_too(run, worker: str):
    done = run("history", "workers", "--server", worker)
    assert (done.code, done.err) == (0, "")
    assert "None → RollingBack" in done.out
    assert "BakeAlarm" in done.out
    arn = json.loads(run("get", "clusters", "--server", worker, "-o", "jsonl").out)["cluster_arn"]
    by_name, by_arn = (run("history", name, "--server", worker, "-o", "json") for name in ("demo-eks", arn))
    assert by_name.out == by_arn.out
    assert json.loads(by_name.out)["items"]


def test_a_name_of_several_kinds_wants_the_kind(run):
    held = Held(public.Picture(clusters=(cluster("train"),), instance_groups=(group("train"),)))
    with served(held) as address:
        both = run("history", "train", "--server", address)
        assert (both.code, both.out) == (2, "")
        assert "a group and a cluster" in both.err
        assert "--kind" in both.err
        assert run("history", "group", "train", "--server", address).err == "No event of train is kept.\n"


@pytest.mark.parametrize("form", Format)
def test_in_every_form(run, worker: str, form: Format):
    done = run("history", NEW, "--server", worker, "-o", form)
    assert done.code == 0
    text = BY_CODE["InstanceProvisioned"].text
    if form in (Format.table, Format.wide):
        assert (text in done.out) == (form is Format.wide)
    elif form is Format.jsonl:
        items = [json.loads(line) for line in done.out.splitlines()]
        assert text in [item["text"] for item in items]
    else:
        body = json.loads(done.out) if form is Format.json else yaml.safe_load(done.out)
        assert (body["as_of"], body["lag"], body["continue"]) == (OVER, 0, None)
        fields = ["time", "event_id", "code", "machine", "from", "to", "event", "text"]
        assert list(body["items"][0]) == fields


def test_a_name_that_is_not_known_is_1_and_one_of_two_is_2(run, worker: str):
    done = run("history", "i-none", "--server", worker)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: no instance and no group and no cluster is called 'i-none'")
    assert "no group is called" in run("history", "i-none", "--kind", "group", "--server", worker).err
    both = public.sort_instances([instance("i-2", slot="slot"), instance("i-3", slot="slot", arn=OTHER)])
    with served(Held(public.Picture(instances=both))) as address:
        assert run("history", "slot", "--server", address).code == 2
        assert run("history", "slot", "--server", address, "--cluster", ARN).code == 0


def test_a_slot_a_name_with_a_slash_and_an_empty_story(run):
    silent = instance("i-1", slot="a/b").model_copy(update={"history": ()})
    note = instance("i-2").history[0].model_copy(update={"machine": None, "code": "Heartbeat"})
    noted = instance("i-2").model_copy(update={"history": (note,)})
    with served(Held(public.Picture(instances=(silent, noted)))) as address:
        done = run("history", "i-1", "--server", address)
        assert (done.code, done.out, done.err) == (0, "", "No event of i-1 is kept.\n")
        assert run("history", "a/b", "--server", address).code == 1
        assert " -  " in run("history", "i-2", "--server", address).out


def test_no_worker_is_3(run):
    done = run("history", "i-1", "--server", "http://127.0.0.1:1")
    assert (done.code, done.out) == (3, "")
    assert run("history", "i-1", "--server", "nowhere").code == 2
