"""Every message in the form of every service: what the service demands, and what people read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.public_anomaly import Anomaly
from streams.alerts.config import Config
from streams.alerts.due import Action, Message, Page
from streams.alerts.forms import Form, Refreshed, Request, form, hidden, parts
from streams.alerts.words import Links, headline
from tests.test_streams.alert_schemas import ALERTMANAGER, CLOUDEVENT, PAGERDUTY, SLACK
from tests.test_streams.alerting import anomaly, resolved, retracted

NOW = 1_791_200_000_000
LINKS = Links("https://hyperpod.example.com/anomalies?id={anomaly_id}&status=all", "https://docs.example.com")
SCHEMAS = {"alertmanager": ALERTMANAGER, "pagerduty": PAGERDUTY, "slack": SLACK, "webhook": CLOUDEVENT}
LARGEST = 512 * 1024
"""Bytes of an event that PagerDuty takes; the others take more."""
HOOK = "https://hooks.slack.example.com/services/T0/B0/secretpart"
TABLES: dict[str, dict[str, Any]] = {
    "alertmanager": {"url": "https://am.example.com/", "labels": {"team": "ml"}},
    "pagerduty": {"routing_key_env": "TEST_ROUTING_KEY"},
    "slack": {"url_env": "TEST_SLACK_URL"},
    "webhook": {"url": "https://hook.example.com/in", "token_env": "TEST_TOKEN"},
}
MESSAGES = {
    "open": Message(Action.OPEN, "a", anomaly(), None, "", 12, ("i-1", "i-2")),
    "changed": Message(Action.UPDATE, "a", anomaly("a", 2, severity="critical"), Page("a", anomaly()), "it was"),
    "handed over": Message(Action.UPDATE, "a", anomaly("b"), Page("a", anomaly()), "takes the place of a"),
    "resolved": Message(Action.CLOSE, "a", resolved(), Page("a", anomaly()), "resolved"),
    "superseded": Message(Action.CLOSE, "a", retracted("a", "b"), Page("a", anomaly()), "superseded by b"),
    "cluster": Message(
        Action.OPEN,
        "c",
        anomaly("c", instance_group=None, instance_id=None, cluster_name=None, resource_type="Cluster", runbook=None),
        None,
    ),
}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_ROUTING_KEY", "R0UTINGKEY")
    monkeypatch.setenv("TEST_SLACK_URL", HOOK)
    monkeypatch.setenv("TEST_TOKEN", "t0ken-t0ken")


def made(kind: str, links: Links = LINKS, **more: Any) -> Form:
    config = Config.model_validate({"sinks": [{"type": kind, "name": "s", **TABLES[kind], **more}]})
    return form(config.sinks[0], links)


def said(kind: str, message: str) -> Request:
    return made(kind).request(MESSAGES[message], NOW)


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_body_is_as_the_service_describes_it(kind: str, message: str):
    for links in (LINKS, Links()):
        body = made(kind, links).request(MESSAGES[message], NOW).body
        jsonschema_rs.validator_for(SCHEMAS[kind], validate_formats=True).validate(body)


@given(st.text(max_size=5000), st.text(min_size=1, max_size=300))
@example("&" * 5000, "<" * 300)
def test_no_text_from_outside_makes_a_body_that_a_service_would_refuse(title: str, name: str):
    odd = anomaly(title=title, instance_id=name, cluster_name=name, expected=title)
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in (("TEST_ROUTING_KEY", "R"), ("TEST_SLACK_URL", HOOK), ("TEST_TOKEN", "t")):
            patch.setenv(variable, value)
        for kind, schema in SCHEMAS.items():
            body = made(kind).request(Message(Action.OPEN, "a", odd, None, title), NOW).body
            jsonschema_rs.validator_for(schema, validate_formats=True).validate(body)
            assert len(orjson.dumps(body)) < LARGEST


def test_an_alert_has_its_labels_and_ends_by_itself_if_nobody_goes_on():
    request = said("alertmanager", "open")
    assert request.url == "https://am.example.com/api/v2/alerts"
    (alert,) = request.body
    assert alert["labels"] == {
        "team": "ml",
        "alertname": "HyperpodUnhealthyNode",
        "severity": "error",
        "kind": "unhealthy_node",
        "anomaly_id": "a",
        "cluster": "train-1",
        "cluster_arn": anomaly().cluster_arn,
        "instance_group": "workers",
        "instance_id": "i-a",
    }
    assert alert["annotations"]["summary"] == "train-1/i-a: Node a is Unhealthy (+12)"
    assert alert["annotations"]["stands_for"] == "i-1, i-2 and more"
    page, _, names = alert["annotations"]["runbook_url"].partition("?")
    assert page == "https://docs.example.com/runbooks/unhealthy_node.md"
    assert "cluster=train-1&" in names
    assert "&instance=i-a&" in names
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-10-05T09:42:00.000Z", "2026-10-05T11:38:20.000Z")
    assert alert["generatorURL"] == "https://hyperpod.example.com/anomalies?id=a&status=all"


def test_an_alert_that_ends_has_the_labels_that_it_began_with():
    (alert,) = said("alertmanager", "resolved").body
    assert alert["labels"] == said("alertmanager", "open").body[0]["labels"]
    assert alert["endsAt"] == "2026-10-05T11:32:20.000Z"  # over for sure, by a clock that is a minute behind too


def test_an_alert_never_ends_before_it_begins():
    young = resolved(opened_at="2026-10-05T11:33:10.000Z")
    (alert,) = made("alertmanager").request(Message(Action.CLOSE, "a", young, Page("a", young)), NOW).body
    assert alert["startsAt"] == alert["endsAt"] == "2026-10-05T11:32:20.000Z"


def test_a_change_of_severity_ends_one_alert_and_begins_the_other_at_once():
    before, after = said("alertmanager", "changed").body
    assert (before["labels"]["severity"], before["endsAt"]) == ("error", "2026-10-05T11:32:20.000Z")
    assert (after["labels"]["severity"], after["endsAt"]) == ("critical", "2026-10-05T11:38:20.000Z")


def test_a_page_that_is_handed_over_stays_the_same_alert_of_the_same_entity():
    alerts = (
        made("alertmanager")
        .request(Message(Action.UPDATE, "a", anomaly("b", instance_id="i-a"), Page("a", anomaly())), NOW)
        .body
    )
    assert [each["labels"] for each in alerts] == [said("alertmanager", "open").body[0]["labels"]]


def test_alertmanager_is_told_again_of_all_that_is_open():
    am = made("alertmanager")
    assert isinstance(am, Refreshed)
    assert am.refresh_seconds == 60
    alerts = am.refresh([MESSAGES["open"], Message(Action.OPEN, "k", anomaly("b"), None)], NOW).body
    assert [each["labels"]["anomaly_id"] for each in alerts] == ["a", "k"]
    assert not any(isinstance(made(kind), Refreshed) for kind in SCHEMAS if kind != "alertmanager")


def test_basic_authentication_and_tokens_are_headers_and_secret(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TEST_PASSWORD", "pa55")
    basic = made("alertmanager", username="ana", password_env="TEST_PASSWORD").request(MESSAGES["open"], NOW)
    assert (basic.headers, basic.secrets) == ({"Authorization": "Basic YW5hOnBhNTU="}, ("pa55", "YW5hOnBhNTU="))
    bearer = said("webhook", "open")
    assert (bearer.headers, bearer.secrets) == ({"Authorization": "Bearer t0ken-t0ken"}, ("t0ken-t0ken",))


def test_pagerduty_gets_a_trigger_and_a_resolve_by_one_key():
    opened, closed = said("pagerduty", "open").body, said("pagerduty", "resolved").body
    assert (opened["event_action"], opened["dedup_key"], opened["routing_key"]) == ("trigger", "a", "R0UTINGKEY")
    assert (closed["event_action"], closed["dedup_key"]) == ("resolve", "a")
    assert opened["payload"]["severity"] == "error"
    assert [each["text"] for each in opened["links"]] == ["Anomaly", "Runbook"]
    assert said("pagerduty", "handed over").body["dedup_key"] == "a"
    assert "R0UTINGKEY" in said("pagerduty", "open").secrets


def test_slack_can_be_made_to_mention_nobody():
    evil = anomaly(title="<!channel> *x* <https://evil.example.com|click> & more")
    request = made("slack").request(Message(Action.OPEN, "a", evil, None), NOW)
    assert "<!channel>" not in str(request.body)
    assert "&lt;!channel&gt; *x* &lt;https://evil.example.com|click&gt; &amp; more" in request.body["text"]
    assert HOOK in request.secrets


def test_slack_makes_no_links_of_its_own():
    evil = anomaly(title="see https://evil.example.com or evil.example.com #general")
    body = made("slack").request(Message(Action.OPEN, "a", evil, None, "why evil.example.com"), NOW).body
    assert body["parse"] == "none"
    blocks = body["attachments"][0]["blocks"]
    texts = [each for block in blocks for each in (block.get("text"), *block.get("fields", ())) if each]
    assert len(texts) > 5
    assert [each["verbatim"] for each in texts] == [True] * len(texts)


@pytest.mark.parametrize("message", MESSAGES)
def test_slack_shows_the_headline_once(message: str):
    """`text` is no mere fallback where the blocks are an attachment's: both are seen."""
    body = said("slack", message).body
    assert headline(MESSAGES[message]) in body["text"]
    assert headline(MESSAGES[message]) not in str(body["attachments"])


def test_slack_says_in_words_what_the_colour_says():
    assert said("slack", "open").body["text"].startswith("▲ ERROR: train-1/i-a: ")
    assert said("slack", "changed").body["text"].startswith("▲ CRITICAL, changed: ")
    assert said("slack", "resolved").body["text"].startswith("✔ RESOLVED: ")
    assert said("slack", "superseded").body["text"].startswith("✔ CLOSED: ")


def test_an_event_sent_again_has_the_id_that_it_had():
    first, again = said("webhook", "open"), said("webhook", "open")
    assert first.body == again.body
    assert (first.body["id"], first.body["type"]) == ("a/1/open/0", "hyperpod-state.anomaly.opened")
    assert first.content_type == "application/cloudevents+json; charset=utf-8"
    assert Anomaly.model_validate(first.body["data"]["anomaly"]) == anomaly()
    assert said("webhook", "resolved").body["type"] == "hyperpod-state.anomaly.closed"


LOG = "https://us-west-2.console.aws.amazon.com/cloudwatch/home"


def test_a_log_is_a_link_only_where_it_is_one():
    assert Links().log(anomaly(runbook=LOG)) == LOG
    assert Links().log(anomaly()) is None
    assert Links().log(anomaly(runbook="javascript:alert(1)")) is None


def test_who_is_given_a_log_is_given_the_runbook_too():
    failed = Message(Action.OPEN, "a", anomaly(runbook=LOG), None)
    links = made("pagerduty").request(failed, NOW).body["links"]
    assert [each["text"] for each in links] == ["Anomaly", "Runbook", "Log"]
    assert "/runbooks/unhealthy_node.md?" in links[1]["href"]
    assert f"<{LOG}|Log>" in str(made("slack").request(failed, NOW).body["attachments"])
    (alert,) = made("alertmanager").request(failed, NOW).body
    assert "/runbooks/unhealthy_node.md?" in alert["annotations"]["runbook_url"]
    assert alert["annotations"]["log_url"] == LOG


def test_without_runbooks_an_alert_has_the_log():
    assert [*Links().named(anomaly(runbook=LOG))] == [("Log", LOG)]


def test_a_secret_in_a_file_is_read_where_it_is_now(tmp_path: Path):
    path = tmp_path / "key"
    path.write_text("FIRST\n")
    sink = made("pagerduty", routing_key_env="", routing_key_file=str(path))
    assert sink.request(MESSAGES["open"], NOW).body["routing_key"] == "FIRST"
    path.write_text("SECOND\n")
    assert sink.request(MESSAGES["open"], NOW).body["routing_key"] == "SECOND"


@pytest.mark.parametrize("kind", ["slack", "webhook"])
@pytest.mark.parametrize(
    "quoted",
    [
        "{url}",
        "<pre>Cannot POST /services/T0/B%200/s3cr3t?k=s3cr3t-2&amp;l=1</pre>",
        "no route /services/T0/B 0/s3cr3t",
        "no route /services/T0/B%200/s3cr3t/",
        "bad query k=s3cr3t-2&l=1",
    ],
)
def test_a_url_that_is_secret_is_hidden_whatever_of_it_is_quoted(
    kind: str, quoted: str, monkeypatch: pytest.MonkeyPatch
):
    url = "https://hooks.example.com/services/T0/B%200/s3cr3t?k=s3cr3t-2&l=1"
    monkeypatch.setenv("TEST_URL", url)
    table = {"type": kind, "name": "s", "url_env": "TEST_URL"}
    sink = form(Config.model_validate({"sinks": [table]}).sinks[0], LINKS)
    shown = hidden(quoted.format(url=url), sink.request(MESSAGES["open"], NOW).secrets)
    assert "s3cr3t" not in shown
    assert "…" in shown


def test_a_part_of_a_secret_url_that_is_long_enough_to_be_a_secret_is_hidden_by_itself():
    secrets = parts("https://hooks.example.com/in/0123456789abcdef")
    assert hidden("no such hook: 0123456789abcdef in here", secrets) == "no such hook: … in here"


def test_a_secret_url_without_a_path_hides_no_slash():
    assert hidden("a/b?c", parts("https://hooks.example.com/")) == "a/b?c"
