"""What somebody types leads to clusters, groups, instances and anomalies."""

from __future__ import annotations

from typing import Any

import pytest

from models import public
from streams.web.api import create_api
from tests.test_streams.doors import ask, json_of
from tests.test_streams.serving import ARN, Held, anomaly, cluster, instance
from tests.test_streams.workers import Workers


def names(body: Any) -> list[tuple[str, str]]:
    return [(each["type"], each["name"]) for each in body["items"]]


def found(query: str) -> list[tuple[str, str]]:
    return names(json_of(create_api(Held()), "/api/v1/search", query))


def test_a_name_comes_before_what_begins_so_and_that_before_what_only_speaks_of_it() -> None:
    assert found("q=i-bad")[0] == ("instance", "i-bad")
    assert found("q=ML-")[:2] == [("cluster", "ml-dev"), ("cluster", "ml-prod")]
    assert found("q=slot-9") == [("instance", "slot-9")]
    assert found(f"q={ARN}")[0] == ("cluster", "ml-prod")


def test_all_words_must_be_found_wherever_they_are() -> None:
    assert found("q=failed+ml-prod") == [("instance", "i-bad"), *found("q=failed+ml-prod")[1:]]
    assert ("instance", "i-far") not in found("q=i-+ml-prod")
    assert found("q=lifecycle+script+critical") == [("anomaly", "The lifecycle script failed")]
    assert found("q=nothing-is-called-so") == []


def test_what_is_over_comes_last() -> None:
    told = [instance("i-1", "Terminated"), instance("i-2"), instance("i-3", "Terminated")]
    app = create_api(Held(public.Picture(clusters=(cluster(),), instances=tuple(told))))
    assert [name for _, name in names(json_of(app, "/api/v1/search", "q=i-"))] == ["i-2", "i-1", "i-3"]


def test_an_anomaly_is_found_by_its_id_and_leads_to_its_instance() -> None:
    shown = public.Picture(clusters=(cluster(),), anomalies=(anomaly("f00d", instance_id="i-7"),))
    body = json_of(create_api(Held(shown)), "/api/v1/search", "q=f00d")
    (item,) = body["items"]
    assert (item["anomaly_id"], item["instance_id"], item["word"]) == ("f00d", "i-7", "error")


@pytest.mark.parametrize("query", ["", "q=", "q=x&limit=0", f"q={'x' * 201}"])
def test_a_question_that_is_none_is_refused(query: str) -> None:
    assert ask(create_api(Held()), "/api/v1/search", query=query).status == 400


def test_several_workers_answer_as_one_and_no_more_than_is_asked_for() -> None:
    workers = Workers({0, 1}, {2})
    told = [workers.get(number, "/api/v1/search?q=i-&limit=6").body for number in (0, 1)]
    assert told[0] == told[1]
    assert [name for _, name in names(told[0])] == ["i-0a", "i-0b", "i-0c", "i-0d", "i-1a", "i-1b"]
