"""The sources of the documentation site: no page of the repository is lost, and links go on leading somewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from streams.reference import site
from tests.markdown import ROOT, anchors, links


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        folder = tmp_path_factory.mktemp("site")
        assert site.main([str(folder)]) == 0
    return folder


def test_every_page_is_in_the_navigation(folder: Path):
    settings = tomllib.loads((folder / "zensical.toml").read_text())
    named = [name for section in settings["project"]["nav"] for names in section.values() for name in names]
    assert len(named) == len(set(named))
    there = {str(path.relative_to(folder / "pages")) for path in (folder / "pages").rglob("*.md")}
    assert set(named) == there
    assert there >= {"index.md", "tutorial.md", "runbooks/stuck.md", "concepts/states.md", "reference/api.md"}


def test_links_lead_somewhere_on_the_site_too(folder: Path):
    pages = folder / "pages"
    for path in pages.rglob("*.md"):
        for link in links(path):
            where, _, anchor = link.partition("#")
            if re.match(r"https?:|mailto:", link):
                continue
            target = (path.parent / where).resolve() if where else path
            assert target.is_relative_to(pages.resolve()), (path, link)
            assert target.exists(), (path, link)
            assert not anchor or anchor in anchors(target), (path, link)


def test_nothing_is_loaded_from_elsewhere(folder: Path):
    """Fonts and scripts for diagrams are what Zensical would fetch."""
    assert tomllib.loads((folder / "zensical.toml").read_text())["project"]["theme"]["font"] is False
    assert not any("```mermaid" in path.read_text() for path in (folder / "pages").rglob("*.md"))


@pytest.mark.parametrize(
    ("page", "link", "moved"),
    [
        ("readme.md", "docs/feed.md#a", "feed.md#a"),
        ("readme.md", "LICENSE", f"{site.REPOSITORY}LICENSE"),
        ("tutorial.md", "../README.md#your-own-kafka", "index.md#your-own-kafka"),
        ("runbooks/stuck.md", "../reference/anomalies.md#stuck", "../reference/anomalies.md#stuck"),
        ("decisions/0001.md", "README.md", "../decisions/README.md"),
        ("decisions/0001.md", "../../CHANGELOG.md", f"{site.REPOSITORY}CHANGELOG.md"),
        ("feed.md", "https://example.com/x.md", "https://example.com/x.md"),
        ("feed.md", "#here", "#here"),
    ],
)
def test_links_move_with_the_pages(page: str, link: str, moved: str):
    assert site.moved(f"[a]({link})", Path(page)) == f"[a]({moved})"


def test_elsewhere_it_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site").mkdir()
    assert site.main(["site"]) == 2
    assert "root of the repository" in capsys.readouterr().err
    assert (tmp_path / "site").exists()
