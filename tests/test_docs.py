"""Every page of the documentation: links lead somewhere, code is code, commands are ones that there are."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import dropwhile
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.main import get_command

from streams.cli.app import app
from tests.markdown import ROOT, Block, anchors, blocks, commands, links, pages

PAGES = pages()
BLOCKS = [block for path in PAGES for block in blocks(path)]
SHELL = [block for block in BLOCKS if block.language in ("sh", "bash", "console")]
LANGUAGES = {
    "sh",
    "bash",
    "console",
    "python",
    "json",
    "yaml",
    "toml",
    "text",
    "mermaid",
    "sql",
    "promql",
    "html",
    "dot",
    "hcl",
}
PLACEHOLDER = "0"
"""For `KEY`, `…` and `N` in a command."""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_every_link_leads_somewhere(path: Path):
    broken = [link for link in links(path) if not _leads(path, link)]
    assert not broken


def _leads(path: Path, link: str) -> bool:
    if re.match(r"https?:|mailto:", link):
        return True
    where, _, anchor = link.partition("#")
    target = (path.parent / where).resolve() if where else path
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or target.suffix != ".md" or anchor in anchors(target)


def test_every_page_is_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path not in reached and path.suffix == ".md":
            reached.add(path)
            local = (link.partition("#")[0] for link in links(path) if not re.match(r"https?:|mailto:", link))
            waiting += [(path.parent / link).resolve() for link in local if link]
    lost = {path for path in PAGES if path.is_relative_to(ROOT / "docs")} - reached
    assert not lost


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_says_what_it_is(block: Block):
    assert block.language in LANGUAGES


PARSERS: dict[str, Callable[[str], object]] = {
    "python": ast.parse,
    "json": json.loads,
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "toml": tomllib.loads,
}


@pytest.mark.parametrize(
    "block", [each for each in BLOCKS if each.language in PARSERS and "…" not in each.text], ids=str
)
def test_what_is_called_a_language_is_one(block: Block):
    PARSERS[block.language](block.text)


def ours() -> Iterator[Any]:
    for block in SHELL:
        for words in commands(block):
            told = list(dropwhile(lambda word: re.fullmatch(r"[A-Z_]+=\S*", word), words))
            if told[:1] == ["hyperpod-state"]:
                yield pytest.param(told[1:], id=f"{name(block.path)}: {' '.join(told)[:90]}")


@pytest.mark.parametrize("words", list(ours()))
def test_every_command_of_ours_is_one_that_there_is(words: list[str]):
    """Parsed as the command line parses it, with all options and arguments; nothing is run."""
    told = [PLACEHOLDER if re.fullmatch(r"KEY|N|…", word) else word for word in words]
    command: Any = get_command(app)
    with suppress(typer.Exit):  # by an option that prints something and ends, such as --version
        context = command.make_context("hyperpod-state", told)
        while hasattr(command, "resolve_command") and "--help" not in told:
            _, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
            context = command.make_context(command.name, rest, parent=context)


def test_no_page_installs_from_an_index_what_no_index_has():
    """Whoever follows it would get an error, or what somebody else has put there under our name."""
    told = [words for block in SHELL for words in commands(block) if words[:2] == ["pip", "install"]]
    assert told
    assert not [words for words in told if any(re.match(r"hyperpod[-_]state(\[|$)", word) for word in words)]


def test_figures_that_sizing_quotes_of_a_commit_are_on_the_page_that_it_names():
    """Measured anew, the page has another commit, and the quoted figures are old."""
    page = ROOT / "docs" / "sizing.md"
    rows = [
        line for line in page.read_text().splitlines() if re.search(r"\]\([\w.]+\.md[^)]*\), `[0-9a-f]{7,}` \|", line)
    ]
    assert rows
    for row in rows:
        [(where, commit)] = re.findall(r"\]\(([\w.]+\.md)[^)]*\), `([0-9a-f]{7,})`", row)
        assert commit in (page.parent / where).read_text(), row
