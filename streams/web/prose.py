"""Markdown as a page: plain HTML with one style sheet and no script, which works offline and under the worker's policy.

Knows: the frame of a page, Markdown.
Must not know: what a page says, routes, who asks.
"""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import pairwise

from markdown_it import MarkdownIt

FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hyperpod-state: {title}</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body class="{layout}">
<a class="skip" href="#content">Skip to the content</a>
<nav aria-label="{label}">{nav}</nav>
<main id="content">
{body}
</main>
</body>
</html>
"""
BESIDE, ABOVE = "beside", "above"
"""Where the links are: in a column of their own, or on a line."""


def page(title: str, text: str, nav: str, label: str, layout: str) -> bytes:
    """The text as HTML, with links (Markdown too) beside or above it; `label` says what they are, `title` is plain."""
    reader = MarkdownIt("commonmark").enable("table")
    tokens = reader.parse(text)
    for token, following in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(following.content))
    body = reader.renderer.render(tokens, reader.options, {})
    return FRAME.format(title=title, nav=reader.render(nav), label=label, layout=layout, body=body).encode()


def style() -> bytes:
    """The style sheet of all such pages."""
    return files("streams.web").joinpath("docs.css").read_bytes()


def anchor(title: str) -> str:
    """Where a heading is, by the rule of GitHub, so that links are the same in both."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
