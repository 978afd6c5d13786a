"""The table [alerts] and the commands on it: what is refused, and in which words; what is shown, and what never."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from models.public_anomaly import Severity
from streams.alerts.config import BadConfig, PagerDuty, load
from streams.alerts.run import sinks
from streams.broker import free_port
from streams.config_file import VARIABLE
from streams.settings import PlainError, Settings
from streams.web.page import PAGES, built
from tests.test_streams.told import Ended

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "alerts.md"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "settings.toml"
    monkeypatch.setenv(VARIABLE, str(found))
    return found


def sink(text: str) -> str:
    return f"[[alerts.sinks]]\n{text}"


def refusal(path: Path, text: str) -> str:
    path.write_text(text)
    with pytest.raises(BadConfig) as caught:
        load()
    return str(caught.value)


def test_a_sink_needs_little(path: Path):
    path.write_text(sink('type = "pagerduty"\nname = "oncall"\nrouting_key_file = "/run/secrets/key"\n'))
    (found,) = load().sinks
    assert isinstance(found, PagerDuty)
    assert (found.url, found.min_severity) == ("https://events.pagerduty.com/v2/enqueue", Severity.WARNING)


def test_the_worker_reads_the_same_file_and_minds_its_own_settings(path: Path):
    path.write_text('app_id = "mine"\n' + sink('type = "nonsense"\n'))
    assert Settings().app_id == "mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "There is no table [alerts] in the settings"),
        ("[alerts]\nsinks = []\n", "[alerts] sinks: List should have at least 1 item"),
        (sink('name = "x"\n'), "sink x: Unable to extract tag"),
        (sink('type = "pager"\nname = "x"\n'), "sink x: Input tag"),
        (sink('type = "pagerduty"\nname = "x"\n'), "sink x: give one of routing_key_file, routing_key_env"),
        (
            sink('type = "pagerduty"\nname = "x"\nrouting_key_file = "k"\nrouting_key_env = "K"\n'),
            "sink x: routing_key_file and routing_key_env: give one of them",
        ),
        (sink('type = "slack"\nname = "x"\nurl = "https://h.example.com/s3cret"\n'), "sink x url: Extra inputs"),
        (
            sink('type = "webhook"\nname = "x"\nurl = "http://a.example.com"\n'),
            "sink x: it is not encrypted: use https",
        ),
        (sink('type = "webhook"\nname = "x"\nurl = "ftp://a.example.com"\n'), "sink x: it is no URL of http or https"),
        (
            sink('type = "webhook"\nname = "x"\nurl = "https://ana:s3cret@a.example.com"\n'),
            "no name and password within",
        ),
        (
            sink('type = "webhook"\nname = "x"\nurl = "https://a.example.com"\nonly = [{ clutser = "a" }]\n'),
            "sink x only: no matcher is called clutser",
        ),
        (
            sink('type = "webhook"\nname = "x"\nurl = "https://a.example.com"\nmin_severity = "bad"\n'),
            "sink x min_severity: Input should be 'info', 'warning', 'error' or 'critical'",
        ),
        (
            sink('type = "alertmanager"\nname = "x"\nurl = "https://a.example.com"\nresend_seconds = 200\n'),
            "hold_seconds has to be three times resend_seconds at least",
        ),
        (
            sink('type = "alertmanager"\nname = "x"\nurl = "https://a.example.com"\nusername = "ana"\n'),
            "username and password_file (or password_env) go together",
        ),
        (
            sink(
                'type = "alertmanager"\nname = "x"\nurl = "https://a.example.com"\n'
                'username = "ana"\npassword_env = "P"\ntoken_env = "T"\n'
            ),
            "a username and a token: give one of them",
        ),
        (sink('type = "webhook"\nname = "x"\nurl = "https://a.example.com"\n') * 2, "several are called x"),
        (
            '[alerts]\nlink = "a"\n' + sink('type = "webhook"\nname = "x"\nurl = "https://a.example.com"\n'),
            "link: it is no",
        ),
        (
            '[alerts]\nlink = "https://a.example.com/an anomaly?id={anomaly_id}"\n'
            + sink('type = "webhook"\nname = "x"\nurl = "https://a.example.com"\n'),
            "link: it is no URL",
        ),
        (
            sink('type = "webhook"\nname = "x"\nurl = "https://a.example.com"\nproxy = "http://ana:pw@proxy:3128"\n'),
            "sink x proxy: it is no http://HOST:PORT",
        ),
        *(
            (
                sink(f'type = "webhook"\nname = "x"\nurl = "https://a.example.com"\nproxy = "{nobody}"\n'),
                "sink x proxy: it is no http://HOST:PORT",
            )
            for nobody in ("http://:", "http://proxy:99999", "http://[::1", "https://proxy:3128")
        ),
        (sink('type = "webhook"\nname = "x"\nurl = "https://a.example.com:99999"\n'), "sink x: it is no URL of http"),
        (
            sink('type = "webhook"\nname = "x"\nurl = "https://a.example.com"\nsource = "our fleet"\n'),
            "sink x source: it is no URI reference",
        ),
    ],
)
def test_what_cannot_be_meant_is_named_and_no_value_is_shown(path: Path, text: str, words: str):
    told = refusal(path, text)
    assert words in told
    assert "s3cret" not in told


def test_http_is_fine_on_loopback_and_where_it_is_wanted(path: Path):
    near, far = '"http://127.0.0.1:9093"', '"http://am:9093"\nallow_http = true'
    text = "".join(sink(f'type = "alertmanager"\nname = "s{n}"\nurl = {url}\n') for n, url in enumerate((near, far)))
    path.write_text(text)
    assert [each.target() for each in load().sinks] == ["http://127.0.0.1:9093", "http://am:9093"]


def test_a_secret_that_is_not_there_is_named_before_anything_is_sent(path: Path, tmp_path: Path):
    path.write_text(sink('type = "slack"\nname = "ops"\nurl_env = "NO_SUCH_VARIABLE"\n'))
    with pytest.raises(PlainError, match="url of ops: NO_SUCH_VARIABLE is empty or not there"):
        sinks(load())
    path.write_text(sink(f'type = "slack"\nname = "ops"\nurl_file = "{tmp_path}/none"\n'))
    with pytest.raises(PlainError, match=r"url_file of ops: .*/none cannot be used: No such file"):
        sinks(load())


def test_a_url_in_a_secret_is_checked_and_not_shown(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TEST_HOOK", "http://hooks.example.com/s3cret")
    path.write_text(sink('type = "slack"\nname = "ops"\nurl_env = "TEST_HOOK"\n'))
    with pytest.raises(PlainError, match="url of ops: it is not encrypted") as caught:
        sinks(load())
    assert "s3cret" not in str(caught.value)


def test_every_example_of_the_guide_is_read(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    blocks = [part.split("```")[0] for part in GUIDE.read_text().split("```toml\n")[1:]]
    assert len(blocks) >= 5
    (tmp_path / "slack-url").write_text("https://hooks.slack.example.com/services/T0/B0/x")
    (tmp_path / "alertmanager").write_text("pa55")
    for name in ("HOOK_TOKEN", "PAGERDUTY_KEY"):
        monkeypatch.setenv(name, "t0ken")
    for block in blocks:
        path.write_text(block.replace("/run/secrets", str(tmp_path)))
        assert sinks(load())


def test_the_link_of_the_guide_is_a_page_of_the_dashboard():
    blocks = [part.split("```")[0] for part in GUIDE.read_text().split("```toml\n")[1:]]
    (link,) = [found for block in blocks if (found := tomllib.loads(block)["alerts"].get("link"))]
    assert urlsplit(link).path in PAGES
    assert parse_qs(urlsplit(link).query) == {"id": ["{anomaly_id}"], "status": ["all"]}
    source = "".join(each.plain.decode() for each in built().values() if "javascript" in each.type)
    assert all(f"`{word}`" in source for word in ("id", "status", "all"))


def test_a_trial_says_what_each_sink_answers_and_exits_1_where_one_fails(path: Path, run: Callable[..., Ended]):
    url = f"http://127.0.0.1:{free_port()}"
    path.write_text(sink(f'type = "webhook"\nname = "hook"\nurl = "{url}"\n'))
    ended = run("alerts", "test", "-o", "json")
    (item,) = json.loads(ended.out)["items"]
    assert (ended.code, item["sink"], item["action"]) == (1, "hook", "open")
    assert "onnect" in item["error"]


def test_a_sink_that_there_is_not_is_a_usage_error(path: Path, run: Callable[..., Ended]):
    path.write_text(sink('type = "webhook"\nname = "hook"\nurl = "https://a.example.com"\n'))
    ended = run("alerts", "test", "pager")
    assert (ended.code, ended.out) == (2, "")
    assert "no sink is called pager" in ended.err
    assert "one of hook" in ended.err


def test_an_address_for_figures_without_a_port_is_a_usage_error(path: Path, run: Callable[..., Ended]):
    path.write_text(sink('type = "webhook"\nname = "hook"\nurl = "https://a.example.com"\n'))
    ended = run("alerts", "run", "--metrics-host", "0.0.0.0")
    assert (ended.code, ended.out) == (2, "")
    assert "give --metrics PORT as well" in ended.err


def test_no_table_and_no_kafka_are_told_apart(path: Path, run: Callable[..., Ended]):
    path.write_text("")
    ended = run("alerts", "run")
    assert (ended.code, "There is no table [alerts]" in ended.err) == (2, True)
    path.write_text(sink('type = "webhook"\nname = "hook"\nurl = "https://a.example.com"\n'))
    for words in (("alerts", "run"), ("alerts", "run", "--dry-run", "--once"), ("alerts", "list")):
        ended = run(*words, "--brokers", f"127.0.0.1:{free_port()}")
        assert (ended.code, ended.out) == (3, "")
        assert "No Kafka broker answers" in ended.err


def test_once_ends_with_1_where_something_was_left_unsaid(
    path: Path, run: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
):
    path.write_text(sink('type = "webhook"\nname = "hook"\nurl = "https://a.example.com"\n'))
    for done, code in ((True, 0), (False, 1)):
        monkeypatch.setattr("streams.alerts.run.run", lambda *_, done=done: done)
        assert run("alerts", "run", "--once").code == code
