"""Runbooks as the worker serves them: one click from an anomaly, offline, with its own names in the commands."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from models.public import AnomalyKind
from streams.runbooks.guide import EXAMPLES
from streams.runbooks.places import PATH, address
from streams.web.headers import PAGE
from tests.test_streams.doors import TOKEN, ask, doors
from tests.test_streams.serving import anomaly

ROOT = Path(__file__).resolve().parents[2]
EVIL = ["x; rm -rf ~", "$(reboot)", "`id`", "-rf", "--profile", "a b", "<script>", "x\nreboot", "", "'", "x" * 200]


def shown(kind: str, **names: str) -> str:
    answer = ask(doors(), f"{PATH}/{kind}", query=urlencode(names))
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8"), answer.body
    assert answer.headers["content-security-policy"] == PAGE
    return answer.body.decode()


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page.partition("<main")[2])).split())


@pytest.mark.parametrize("kind", AnomalyKind)
def test_the_page_of_every_kind_says_what_the_documentation_says(kind: AnomalyKind) -> None:
    written = (ROOT / f"docs/runbooks/{kind}.md").read_text().partition("## What it is")[2]
    told = text_of(shown(kind)).partition("What it is")[2]
    for block in re.findall(r"```sh\n(.*?)```", written, flags=re.DOTALL):
        assert " ".join(block.split()) in told
    for line in re.findall(r"^- (.+)$", written, flags=re.MULTILINE):
        assert line.replace("`", "") in told


@pytest.mark.parametrize("kind", AnomalyKind)
def test_no_link_leads_where_the_worker_has_nothing(kind: AnomalyKind) -> None:
    for link in re.findall(r'(?:href|src)="([^"#][^"]*)"', shown(kind)):
        assert link.startswith("/"), "nothing from elsewhere, nothing relative to docs/"
        assert ask(doors(), link.partition("?")[0], {"accept": "text/html"}).status == 200, link


def test_commands_have_the_names_of_the_anomaly_that_it_was_opened_from() -> None:
    item = anomaly("a1", instance_id="i-0ab").model_dump(mode="json")
    path, _, query = address(item).partition("?")
    answer = ask(doors(), path, query=query)
    page = answer.body.decode()
    assert "--cluster-name ml-prod" in page
    assert "/aws/sagemaker/Clusters/ml-prod/abc123 --log-stream-name LifecycleConfig/p5-train/i-0ab" in page
    assert 'href="/anomalies?id=a1&amp;status=all"' in page
    assert EXAMPLES["INSTANCE"] not in page


def test_a_name_that_is_not_told_is_nobodys() -> None:
    page = shown("lifecycle_script_failed", cluster="real-one")
    assert "real-one" in page
    assert "LifecycleConfig/GROUP/INSTANCE" in page
    assert all(name not in page for name in EXAMPLES.values())


@pytest.mark.parametrize("name", EVIL)
def test_a_name_that_a_shell_might_act_on_stands_in_no_command(name: str) -> None:
    refused = ask(doors(), f"{PATH}/stuck", query=urlencode({"cluster": name}))
    assert refused.status == 400
    assert "leave it out" in refused.body.decode(), "no document describes these pages"
    bad = anomaly("a1", instance_id=name).model_copy(update={"cluster_name": name, "instance_group": name})
    path, _, query = address(bad.model_dump(mode="json")).partition("?")
    assert query == "cluster_id=abc123&event=e-2&anomaly=a1"
    assert ask(doors(), path, query=query).status == 200


def test_an_unknown_kind_is_told_where_all_of_them_are() -> None:
    answer = ask(doors(), f"{PATH}/flaping")
    assert answer.status == 404
    assert PATH in answer.body.decode()
    assert ask(doors(), f"{PATH}/stuck", query="color=red").status == 400


def test_the_list_has_every_kind_and_a_workers_address_will_do_where_docs_is_expected() -> None:
    page = ask(doors(), PATH).body.decode()
    for kind in AnomalyKind:
        assert f'href="{PATH}/{kind}"' in page
        assert ask(doors(), f"{PATH}/{kind}.md").status == 200


def test_whoever_has_no_token_reads_them_too() -> None:
    guarded = doors(http_token=TOKEN)
    assert ask(guarded, PATH).status == ask(guarded, f"{PATH}/stuck").status == 200
    assert ask(guarded, "/api/v1/anomalies").status == 401
