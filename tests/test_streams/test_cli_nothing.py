"""An empty list says what is true: all is well, or the filters fit nothing, or nothing has been read."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from models import public
from streams.cli.output import Format
from tests.test_streams.serving import NOW_MS, Held, anomaly, cluster, group, instance, picture, served
from tests.test_streams.test_cli_watch import meanwhile  # noqa: F401 - a fixture
from tests.test_streams.told import Ended

Run = Callable[..., Ended]
CALM = picture().model_copy(update={"anomalies": (anomaly("a2", status="resolved"),)})
BARE = public.Picture(clusters=(cluster(),))
MANY = public.Picture(clusters=tuple(cluster(f"arn:{number}", f"c-{number}") for number in range(7)))


def shown(run: Run, held: Held, *words: str) -> str:
    """What is said where a list is empty: beside the data, which is none."""
    with served(held) as address:
        done = run("get", *words, "--server", address)
    assert (done.code, done.out) == (0, ""), done.err
    return done.err.removesuffix("\n")


@pytest.mark.parametrize(
    ("of", "words", "said"),
    [
        (
            CALM,
            "anomalies",
            "No open anomalies in 2 clusters; 1 resolved: `hyperpod-state get anomalies --status resolved`.",
        ),
        (BARE, "anomalies", "No open anomalies in 1 cluster."),
        (BARE, "anomalies --status all", "No anomalies in 1 cluster."),
        (picture(), "anomalies --status retracted", "No retracted anomalies in 2 clusters."),
        (
            picture().model_copy(update={"anomalies": (anomaly("a1"),)}),
            "anomalies --status resolved",
            "No resolved anomalies in 2 clusters; 1 open: `hyperpod-state get anomalies`.",
        ),
        (
            picture(),
            "anomalies --severity info",
            "No open anomalies fit --severity info; without that there are 2 in 2 clusters.",
        ),
        (CALM, "anomalies --kind stuck", "No open anomalies fit --kind stuck, and there are no others in 2 clusters."),
        (
            picture(),
            "anomalies --silenced",
            "No open anomalies fit --silenced; without that there are 2 in 2 clusters.",
        ),
        (
            picture(),
            "instances --phase Rebooting",
            "No instances fit --phase Rebooting; without that there are 8 in 2 clusters.",
        ),
        (
            picture(),
            "groups --cluster nope",
            "No cluster is called 'nope': there are ml-dev, ml-prod.",
        ),
        (
            MANY,
            "instances --cluster nope",
            "No cluster is called 'nope': there are c-0, c-1, c-2, c-3, c-4 and 2 more.",
        ),
        (BARE, "clusters --phase failed", "No clusters fit --phase failed; without that there is 1 in 1 cluster."),
        (BARE, "groups", "No instance groups in 1 cluster."),
        (BARE, "rollouts", "No rollouts in 1 cluster."),
        (
            BARE,
            "instances",
            "No instances in 1 cluster: HyperPod tells of instances only where node provisioning is continuous.",
        ),
    ],
)
def test_what_is_true_is_said(run: Run, of: public.Picture, words: str, said: str) -> None:
    assert shown(run, Held(of), *words.split()) == said


def test_a_name_that_no_cluster_has_is_told_where_another_one_has_an_answer(run: Run) -> None:
    with served(Held(picture())) as address:
        asked = ("get", "groups", "--server", address, "--cluster", "ml-dev", "--cluster")
        done = run(*asked, "nope")
        assert (done.code, done.err) == (0, "note: No cluster is called 'nope': there are ml-dev, ml-prod.\n")
        assert done.out
        assert run(*asked, "ml-prod").err == ""
        assert run(*asked, "nope", "-o", "json").err == ""


@pytest.mark.parametrize("kind", ["clusters", "groups", "instances", "anomalies", "rollouts"])
def test_that_nothing_was_read_is_not_that_all_is_well(run: Run, kind: str) -> None:
    unread = Held(public.Picture(), counts=public.Summary())
    assert shown(run, unread, kind) == (
        "No event has been read yet, so nothing is known: `hyperpod-state doctor` says whether events arrive."
    )
    broken = Held(public.Picture(), counts=public.Summary(read=3, ignored={"x": 1}, dead_lettered=2))
    assert shown(run, broken, kind) == (
        "No cluster is known, although values were read (3, 1 were ignored, 2 are dead letters): "
        "`hyperpod-state deadletter list` says why."
    )


def test_of_the_past_it_says_of_when(run: Run) -> None:
    held = Held(CALM, earlier={NOW_MS - 3_600_000: BARE, NOW_MS - 7_200_000: public.Picture()})
    assert shown(run, held, "anomalies", "--at", "-30m").startswith("No open anomalies in 1 cluster, as of 20")
    assert shown(run, held, "anomalies", "--at", "-90m").startswith("No cluster was known at 20")


@pytest.mark.parametrize("form", [each for each in Format if each not in (Format.table, Format.wide)])
def test_programs_get_the_empty_list_and_no_words(run: Run, form: Format) -> None:
    with served(Held(CALM)) as address:
        done = run("get", "anomalies", "--server", address, "-o", form)
    assert (done.code, done.err) == (0, "")
    if form is Format.json:
        assert json.loads(done.out)["items"] == []


def test_a_watch_that_begins_empty_says_so_and_waits(run: Run, meanwhile: Callable[..., None]) -> None:  # noqa: F811
    meanwhile()
    with served(Held(BARE)) as address:
        for kind in ("anomalies", "rollouts"):
            done = run("get", kind, "--watch", "--server", address)
            assert (done.code, len(done.out.splitlines())) == (130, 1)
            assert done.err.endswith("in 1 cluster.  Waiting for the first.\n")


def test_a_name_that_the_filters_keep_out_is_not_said_to_be_unknown_alone(run: Run) -> None:
    with served(Held(public.Picture(instances=(instance("i-1"),), instance_groups=(group(),)))) as address:
        done = run("get", "instances", "i-1", "--phase", "Failed", "--server", address)
        assert (done.code, done.out) == (1, "")
        assert "it may be there, but not as they want it" in done.err
        assert "it may be there" not in run("get", "instances", "i-2", "--server", address).err


def test_a_phase_that_there_is_not_is_misuse_not_an_empty_list(run: Run) -> None:
    done = run("get", "instances", "--phase", "Faild", "--server", "http://127.0.0.1:1")
    assert (done.code, done.out) == (2, "")
    assert "'Faild' is no phase: did you mean Failed?" in " ".join(done.err.split())
    done = run("get", "groups", "--phase", "Terminated", "--server", "http://127.0.0.1:1")
    assert "'Terminated' is no phase: say one of Deleted" in " ".join(done.err.split())
    done = run("get", "anomalies", "--kind", "patch_faild", "--server", "http://127.0.0.1:1")
    assert (done.code, done.out) == (2, "")
    assert "did you mean patch_failed or" in " ".join(done.err.split())
