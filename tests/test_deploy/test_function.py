"""The function without Kafka: what a pipe may hand it, what it answers, what its variables may say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from streams.feed import function
from streams.feed.function import NotABatch, cluster_of
from streams.feed.sender import Access, BadSetting, Record
from tests.builders import START, Site, cluster_event, heartbeat, node_health, state_change
from tests.test_deploy.pipe import Context, failed_of, message

SITE = Site()


class Refusing:
    """A sender that Kafka refuses some records of, by the words in them."""

    def __init__(self, *words: bytes) -> None:
        self._words, self.seconds = words, 0.0
        self.records: list[Record] = []

    def send(self, records: Sequence[Record], seconds: float) -> list[str]:
        self.seconds = seconds
        self.records += records
        return ["refused" if any(word in record.value for word in self._words) else "" for record in records]


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    sender = Refusing(b"bad", b"worse")
    monkeypatch.setattr(function, "_kept", [sender])
    return sender


def test_it_names_what_failed_and_nothing_else(refusing: Refusing, capsys: pytest.CaptureFixture[str]) -> None:
    batch = [message(f"m-{word}", word) for word in ("good", "bad", "better", "worse")]
    answer = function.handler(batch, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-bad"}, {"itemIdentifier": "m-worse"}]}
    assert failed_of(answer, batch) == {"m-bad", "m-worse"}
    assert json.loads(capsys.readouterr().out) == {"read": 4, "sent": 2, "failed": 2, "why": ["refused"]}


def test_it_leaves_time_for_its_answer(refusing: Refusing) -> None:
    function.handler([message("m", "good")], Context(30_000))
    assert refusing.seconds == 25
    function.handler([message("m", "good")], Context(10))
    assert refusing.seconds == 1


def test_a_body_that_a_pipe_has_parsed_is_written_as_json(refusing: Refusing) -> None:
    event = {**state_change(SITE, START), "nothing": None, "yes": True, "name": "Größe \ud800"}
    function.handler([message("m", event), message("n", None)], Context())
    first, second = refusing.records
    assert (first.key, json.loads(first.value.decode("utf-8", "surrogatepass"))) == (SITE.arn.encode(), event)
    assert (second.key, second.value) == (None, b"null")


def test_a_body_that_is_text_goes_on_as_it_came(refusing: Refusing) -> None:
    body = '{ "detail" :{},"n": 1.0}\n'
    function.handler([message("m", body)], Context())
    assert [each.value for each in refusing.records] == [body.encode()]


def test_a_batch_of_none_is_answered(refusing: Refusing) -> None:
    assert function.handler([], Context()) == {"batchItemFailures": []}


@pytest.mark.parametrize("batch", [{"Records": []}, "text", None, [1], [{"messageId": "m"}], [{"data": "AA=="}]])
def test_what_no_pipe_with_a_queue_sends_is_refused_by_name(batch: Any, refusing: Refusing) -> None:
    with pytest.raises(NotABatch, match="expected"):
        function.handler(batch, Context())


def test_the_key_is_the_clusters_arn_wherever_it_stands() -> None:
    told = [
        cluster_event(SITE, "Cluster is now InService", START),
        state_change(SITE, START),
        node_health(SITE, START, "i-0391f86fa0fe0d465"),
        {"resources": [SITE.arn], "detail": {}},
    ]
    assert {cluster_of(json.dumps(event)) for event in told} == {SITE.arn.encode()}


@pytest.mark.parametrize("body", ["", "no JSON", "[]", "1", '"text"', "[" * 100_000, json.dumps(heartbeat(START))])
def test_what_is_of_no_cluster_has_no_key(body: str) -> None:
    assert cluster_of(body) is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({}, "BROKERS"),
        ({"BROKERS": " "}, "BROKERS"),
        ({"BROKERS": "b:1", "KAFKA_SASL_MECHANISM": "PLAIN"}, "KAFKA_SASL_MECHANISM"),
        ({"BROKERS": "b:1", "KAFKA_TLS": "maybe"}, "KAFKA_TLS"),
        ({"BROKERS": "b:1", "KAFKA_TLS": "false", "KAFKA_SASL_MECHANISM": "AWS_MSK_IAM"}, "KAFKA_TLS"),
    ],
)
def test_a_wrong_variable_is_named(wrong: dict[str, str], named: str) -> None:
    with pytest.raises(BadSetting, match=f"HYPERPOD_STATE_{named}"):
        Access.of({f"HYPERPOD_STATE_{name}": value for name, value in wrong.items()})


def test_it_encrypts_unless_it_is_told_not_to() -> None:
    options = Access.of({"HYPERPOD_STATE_BROKERS": "a:1, b:2"}).options()
    assert (options["security_protocol"], options["bootstrap_servers"]) == ("SSL", ["a:1", "b:2"])
    assert options["ssl_context"].context.check_hostname


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": "c"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"id": "a"}]}, {"a", "b"}),
    ],
)
def test_the_stand_in_of_a_pipe_takes_answers_as_aws_documents_it(answer: Any, kept: set[str]) -> None:
    assert failed_of(answer, [message("a", ""), message("b", "")]) == kept
