"""The project's Markdown as tests look at it: files, links, anchors, blocks of code, commands in them.

Knows: Markdown as GitHub and the site read it.
Must not know: what a page says.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]\[]*(?:\[[^\]]*\])?[^\]\[]*\]\(([^()\s]+)\)|!\[[^\]]*\]\(([^()\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    path: Path
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}: {self.text[:60]}"


def pages() -> list[Path]:
    """Every Markdown file that is, or would be, part of the repository."""
    if not (ROOT / ".git").exists():
        return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return sorted(path for line in listed.stdout.splitlines() if (path := ROOT / line).exists())


def blocks(path: Path) -> list[Block]:
    return [Block(path, found[1], found[2]) for found in _FENCE.finditer(path.read_text())]


def prose(path: Path) -> str:
    """Without blocks and inline code."""
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", path.read_text()))


def links(path: Path) -> list[str]:
    """Where the page's links and pictures lead."""
    text = re.sub(r"(?<!\])`[^`\n]*`", "code", _FENCE.sub("", path.read_text()))
    return [found[1] or found[2] for found in _LINK.finditer(text)]


def anchors(path: Path) -> set[str]:
    """The anchors of its headings, by GitHub's rule."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", _FENCE.sub("", path.read_text()), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.replace("`", "").lower()).strip().replace(" ", "-")
        found.add(next(name for name in (slug, *(f"{slug}-{n}" for n in range(1, 999))) if name not in found))
    return found


def commands(block: Block) -> Iterator[list[str]]:
    """The commands of a block of shell, each as its words; of `console` those after a `$`, pipes taken apart."""
    text = re.sub(r"\\\n\s*", " ", block.text)
    if block.language == "console" and re.search(r"^\$ ", text, re.MULTILINE):
        text = "\n".join(re.findall(r"^\$ (.*)$", text, re.MULTILINE))
    text = re.sub(r"<<'(\w+)'.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from _split(re.sub(r"(^|\s)#(\s.*)?$", "", text, flags=re.MULTILINE))


def _split(text: str) -> Iterator[list[str]]:
    """At line ends outside of quotes, pipes and the like."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|&;<>\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[str] = []
    for word in [*lexer, "\n"]:
        if not re.fullmatch(r"[|&;<>\n]+", word):
            words.append(word)
        elif words:
            yield words
            words = []
