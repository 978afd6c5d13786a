"""What the worker does for its dashboard: the page and its files, tiles, summaries, stories, words."""

from __future__ import annotations

import gzip
import json
import re
import urllib.request
from typing import Any

import pytest

from models import public
from streams.web import fleet
from streams.web.api import create_api
from streams.web.asgi import Asgi
from streams.web.headers import PAGE
from streams.web.page import built
from tests.test_streams.doors import BEARER, TOKEN, ask, doors, json_of
from tests.test_streams.serving import ARN, NOW, OTHER, Held, anomaly, cluster, group, instance, minutes_ago, served
from tests.test_streams.told import NEW, OLD, OVER, Told, picture_at, runner
from tests.test_streams.workers import Workers

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PLACES = ("/", "/c/ml-prod", "/c/arn:aws:sagemaker:x:cluster/y", "/c/a/g/b", "/i/i-1")
PAGES = (*PLACES, "/anomalies", "/patterns", "/machines", "/pipeline")
ENCODED = {"accept-encoding": "gzip, br"}


def api(shown: public.Picture | None = None, **more: Any) -> Asgi:
    return create_api(Held(**({} if shown is None else {"shown": shown}), **more))


class TestPage:
    @pytest.mark.parametrize("path", PAGES)
    def test_every_address_of_the_dashboard_is_the_one_page(self, path: str) -> None:
        answer = ask(doors(), path, HTML)
        assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert answer.headers["content-security-policy"] == PAGE
        assert b'<div id="app">' in answer.body

    def test_a_program_still_gets_the_routes_at_the_root(self) -> None:
        assert "/api/v1/fleet" in json.loads(ask(doors(), "/", {"accept": "*/*"}).body)["routes"]
        assert "/api/v1/fleet" in json.loads(ask(doors(), "/").body)["routes"]

    def test_what_the_page_loads_is_here_and_may_be_kept_for_ever(self) -> None:
        shell = ask(doors(), "/", HTML).body.decode()
        loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', shell)
        assert len(loaded) >= 2
        for path in loaded:
            answer = ask(doors(), path)
            assert (answer.status, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")

    def test_the_page_loads_nothing_from_elsewhere_and_has_no_script_of_its_own(self) -> None:
        shell = built()["index.html"].plain.decode()
        assert "//" not in re.sub(r"data:image/svg\+xml,[^\"]+", "", shell).replace("<!doctype html>", "")
        assert re.findall(r"<script(?![^>]*\bsrc=)|<style| on\w+=| style=", shell) == []

    def test_files_are_sent_compressed_to_who_can_read_that(self) -> None:
        script = next(name for name in built() if name.endswith(".js"))
        packed = ask(doors(), f"/static/{script}", ENCODED)
        plain = ask(doors(), f"/static/{script}")
        assert (packed.headers["content-encoding"], plain.headers.get("content-encoding")) == ("gzip", None)
        assert gzip.decompress(packed.body) == plain.body

    def test_it_weighs_little(self) -> None:
        assert sum(len(each.packed or each.plain) for each in built().values()) < 60_000

    @pytest.mark.parametrize("name", ["nothing.js", "index.html", "..%2f..%2fapi.py", "../api.py"])
    def test_nothing_else_can_be_fetched_from_there(self, name: str) -> None:
        assert ask(doors(), f"/static/{name}").status == 404


class TestToken:
    @pytest.mark.parametrize("path", PAGES)
    def test_the_page_is_shown_to_who_has_no_token_yet(self, path: str) -> None:
        assert ask(doors(http_token=TOKEN), path, HTML).status == 200

    def test_so_are_its_files(self) -> None:
        for name in set(built()) - {"index.html"}:
            assert ask(doors(http_token=TOKEN), f"/static/{name}").status == 200

    @pytest.mark.parametrize("path", ["/", "/api/v1/fleet", "/api/v1/stream", "/api/v1/machines", "/metrics"])
    def test_all_that_tells_of_the_fleet_wants_it(self, path: str) -> None:
        accepts = {} if path == "/" else HTML
        assert ask(doors(http_token=TOKEN), path, accepts).status == 401

    @pytest.mark.parametrize("path", ["/anomalies", "/i/x", "/static/x.js"])
    def test_only_reading_is_open(self, path: str) -> None:
        assert ask(doors(http_token=TOKEN), path, method="POST").status == 401
        assert ask(doors(http_token=TOKEN), path, BEARER, method="POST").status in (404, 405)


class TestFleet:
    def test_every_living_instance_is_a_tile_in_its_group_with_the_worst_that_is_open(self) -> None:
        gone = instance("i-gone", "Terminated")
        items = [instance("i-1"), instance("i-bad", "Failed"), instance(None, "Provisioning", "slot-9"), gone]
        worse = [anomaly("a1", "warning", instance_id="i-bad"), anomaly("a2", "critical", instance_id="i-bad")]
        quiet = anomaly("a3", "critical", instance_id="i-1").model_copy(update={"silenced_by": "s"})
        shown = public.Picture(
            clusters=(cluster(),),
            instance_groups=(group(),),
            instances=public.sort_instances(items),
            anomalies=public.sort_anomalies([*worse, quiet, anomaly("a4", "error", "resolved", "i-1")]),
        )
        (found,) = json_of(api(shown), "/api/v1/fleet")["items"]
        assert (found["cluster_name"], found["open"]) == ("ml-prod", {"warning": 1, "critical": 1})
        (members,) = found["groups"]
        assert (members["instance_group"], members["phase"], members["target_count"]) == ("p5-train", "Degraded", 4)
        told = [(tile["instance_id"] or tile["node_logical_id"], tile["severity"]) for tile in members["tiles"]]
        assert told == [("slot-9", None), ("i-1", None), ("i-bad", "critical")]

    def test_any_worker_answers_for_all(self) -> None:
        workers = Workers({0, 1}, {2})
        for number in (0, 1):
            told = workers.get(number, "/api/v1/fleet").body
            assert [item["cluster_name"] for item in told["items"]] == ["name-0", "name-1", "name-2"]
        one = workers.get(0, "/api/v1/fleet?cluster=name-2").body
        assert [item["cluster_name"] for item in one["items"]] == ["name-2"]

    def test_the_summary_is_the_sum_of_all_workers(self) -> None:
        workers = Workers({0, 1}, {2})
        first, second = (workers.get(number, "/api/v1/summary").body["item"] for number in (0, 1))
        assert first == second
        assert (first["clusters"], first["instances"]) == (3, {"Failed": 3, "InService": 9})
        assert (first["in_service"], first["target"], first["open"]) == (9, 12, {"error": 3})

    def test_a_part_that_nobody_owns_is_named_where_that_is_asked_for(self) -> None:
        workers = Workers({0, 1}, {2})
        workers.down = {1}
        assert workers.get(0, "/api/v1/summary").status == 503
        told = workers.get(0, "/api/v1/summary?stale=ok").body
        assert (told["partial"], told["missing"], told["item"]["clusters"]) == (True, [2], 2)

    def test_replacements_of_a_day_are_counted_and_older_ones_not(self) -> None:
        def begun(minutes: float) -> public.HistoryItem:
            return public.HistoryItem(
                time=minutes_ago(minutes), event_id="e", code="X", machine="replace", from_="None", to="Replacing"
            )

        item = instance("i-1").model_copy(update={"history": (begun(25 * 60), begun(23 * 60), begun(5))})
        shown = public.Picture(clusters=(cluster(),), instances=(item,))
        assert json_of(api(shown), "/api/v1/summary")["item"]["replacements"] == 2

    def test_the_digest_changes_with_the_fleet_and_not_with_the_clock(self) -> None:
        held = Held()
        app = create_api(held)
        before = json_of(app, "/api/v1/summary")
        held.as_of = minutes_ago(-1)
        later = json_of(app, "/api/v1/summary")
        assert later["as_of"] != before["as_of"]
        assert later["item"]["digest"] == before["item"]["digest"]
        held.shown = public.Picture(clusters=held.shown.clusters, instances=(instance("i-1", "Failed"),))
        assert json_of(app, "/api/v1/summary")["item"]["digest"] != before["item"]["digest"]

    def test_a_late_event_changes_the_digest_though_no_phase_moves(self) -> None:
        before = instance("i-1")
        late = before.history[0].model_copy(update={"event_id": "e-late"})
        changes: tuple[dict[str, Any], ...] = (
            {"machines": {**before.machines, "health": "Degraded"}},
            {"history": (late, *before.history)},
            {"history": (late,)},
            {"schedulable": False},
        )
        items = [before, *(before.model_copy(update=each) for each in changes)]
        shown = [public.Picture(clusters=(cluster(),), instances=(each,)) for each in items]
        shown.append(shown[0].model_copy(update={"instance_groups": (group(),)}))
        wanted = group().model_copy(update={"target_count": 9})
        shown.append(shown[0].model_copy(update={"instance_groups": (wanted,)}))
        told = public.History(cluster_arn=ARN, instance_group=None, items=(late,))
        shown.append(shown[0].model_copy(update={"histories": (told,)}))
        digests = [json_of(api(each), "/api/v1/summary")["item"]["digest"] for each in shown]
        assert len(set(digests)) == len(shown)

    def test_what_is_deleted_is_neither_counted_nor_wanted(self) -> None:
        gone = (group("gone", phase="Deleted"), group("left", OTHER, "InService"))
        clusters = (cluster(), cluster(OTHER, "ml-old", "Deleted"))
        shown = public.Picture(clusters=clusters, instance_groups=(group(), *gone))
        told = json_of(api(shown), "/api/v1/summary")["item"]
        assert (told["clusters"], told["target"]) == (1, 4)

    @pytest.mark.parametrize("query", ["", "stale=ok", "cluster=ml-prod"])
    def test_tiles_of_one_picture_are_made_once(self, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
        made: list[Any] = []
        tile = fleet._tile
        monkeypatch.setattr(fleet, "_tile", lambda *given: made.append(given) or tile(*given))
        held = Held(shown=public.Picture(clusters=(cluster(),), instances=(instance("i-1"),)))
        app = create_api(held)
        first = json_of(app, "/api/v1/fleet", query)
        assert json_of(app, "/api/v1/fleet", query) == first
        assert len(made) == 1
        held.shown = public.Picture(clusters=(cluster(),), instances=(instance("i-1", "Failed"),))
        assert json_of(app, "/api/v1/fleet", query)["items"][0]["groups"][0]["tiles"][0]["phase"] == "Failed"
        assert len(made) == 2


class TestStories:
    def test_a_story_says_what_describe_says(self, monkeypatch: Any, capsys: Any) -> None:
        run = runner(monkeypatch, capsys)
        with served(Told(shown=picture_at(OVER))) as address:
            for kind, path in (
                (("instance", OLD), f"/api/v1/instances/{OLD}/story"),
                (("group", "workers"), "/api/v1/instance-groups/workers/story?cluster=demo-eks"),
                (("cluster", "demo-eks"), "/api/v1/clusters/demo-eks/story"),
            ):
                with urllib.request.urlopen(f"{address}{path}") as answer:
                    story = json.load(answer)["item"]
                told = json.loads(run("describe", *kind, "-o", "json", "--server", address).out)
                assert story == {key: value for key, value in told.items() if key != "rollouts"}

    def test_the_lineage_is_part_of_it(self) -> None:
        told = create_api(Told(shown=picture_at(OVER)))
        chain = json_of(told, f"/api/v1/instances/{NEW}/story")["item"]["lineage"]
        assert [item["instance_id"] for item in chain] == [OLD, NEW]

    @pytest.mark.parametrize("path", ["instances/i-no/story", "clusters/no/story", "instance-groups/no/story"])
    def test_what_is_not_known_is_not_found(self, path: str) -> None:
        assert ask(api(), f"/api/v1/{path}").status == 404


class TestPipeline:
    def test_counts_of_all_workers_add_up_with_dead_letters_by_reason(self) -> None:
        workers = Workers({0, 1}, {2})
        told = workers.get(1, "/api/v1/pipeline").body["item"]
        counts = told["summary"]
        ended = counts["applied"] + counts["duplicate"] + sum(counts["ignored"].values()) + counts["dead_lettered"]
        assert (told["workers"], counts["read"], ended) == (2, 20, 20)
        assert (told["dead_letters"], told["failed"], len(told["partitions"])) == ({"not_json": 2}, 0, 2)

    @pytest.mark.parametrize("query", ["", "?stale=ok"])
    def test_a_worker_that_has_only_raw_values_counts_too(self, query: str) -> None:
        workers = Workers((0, 1), ())
        for number in (0, 1):
            told = workers.get(number, f"/api/v1/pipeline{query}").body
            assert (told["item"]["workers"], told["item"]["summary"]["read"], told["partial"]) == (2, 20, False)
            assert told["as_of"] == NOW

    def test_without_it_the_counts_are_not_whole(self) -> None:
        workers = Workers((0, 1), ())
        workers.down = {1}
        assert workers.get(0, "/api/v1/pipeline").status == 503
        told = workers.get(0, "/api/v1/pipeline?stale=ok").body
        assert (told["item"]["workers"], told["partial"], told["missing"]) == (1, True, [])
        assert workers.get(0, "/api/v1/fleet?stale=ok").body["partial"] is False

    def test_every_topic_on_the_way_has_its_name_and_what_all_workers_have_written_to_it(self) -> None:
        workers = Workers({0, 1}, {2})
        for held in workers.providers:
            held.worked.checkpoints["events"].wrote.update({"transitions": 3, "anomalies": 1, "a-changelog": 9})
        told = workers.get(1, "/api/v1/pipeline").body["item"]["topics"]
        assert [each["role"] for each in told] == ["raw", "events", "transitions", "anomalies", "deadletter"]
        assert {each["topic"]: each["written"] for each in told if each["written"]} == {
            "transitions": 6,
            "anomalies": 2,
        }
        assert {each["topic"]: each["partitions"] for each in told if each["partitions"]} == {"raw": 1, "events": 1}

    def test_what_could_be_read_but_not_applied_is_told_apart(self) -> None:
        counts = public.Summary(read=5, applied=2, dead_lettered=3)
        told = json_of(api(counts=counts, letters={"no_time": 1}), "/api/v1/pipeline")["item"]
        assert (told["dead_letters"], told["failed"]) == ({"no_time": 1}, 2)

    def test_an_earlier_moment_has_none(self) -> None:
        assert ask(api(), "/api/v1/pipeline", query="at=-1h").status == 400


class TestWords:
    def test_every_state_has_a_place_of_its_own_and_a_meaning(self) -> None:
        for machine in json_of(api(), "/api/v1/machines")["items"]:
            places = [(state["column"], state["line"]) for state in machine["states"]]
            assert len(set(places)) == len(places)
            assert all(state["meaning"] for state in machine["states"])
            names = {state["name"] for state in machine["states"]}
            assert {edge[end] for edge in machine["edges"] for end in ("from", "to")} <= names

    def test_a_word_is_explained_and_a_wrong_one_corrected(self) -> None:
        (topic,) = json_of(api(), "/api/v1/explain/stuck")["items"]
        assert (topic["type"], topic["name"]) == ("kind", "stuck")
        wrong = ask(api(), "/api/v1/explain/flaping")
        assert (wrong.status, "flapping" in json.loads(wrong.body)["error"]["hint"]) == (404, True)


def test_a_cluster_without_anything_is_an_empty_article_not_an_error() -> None:
    shown = public.Picture(clusters=(cluster(),))
    (found,) = json_of(api(shown), "/api/v1/fleet")["items"]
    assert (found["cluster_arn"], found["groups"], found["open"]) == (ARN, [], {})


def test_an_earlier_moment_has_its_own_tiles() -> None:
    before = public.Picture(clusters=(cluster(),), instances=(instance("i-1", "Provisioning"),))
    held = Held(earlier={0: before})
    told = json_of(create_api(held), "/api/v1/fleet", "at=-10m")
    assert told["as_of"] == minutes_ago(10) != NOW
    assert told["items"][0]["groups"][0]["tiles"][0]["phase"] == "Provisioning"
