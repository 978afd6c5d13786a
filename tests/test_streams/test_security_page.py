"""docs/security.md says the bounds that the code has."""

from __future__ import annotations

from pathlib import Path

from models.unwrap import MAX_BYTES, MAX_DEPTH, MAX_KEYS
from streams import patience
from streams.settings import Settings
from streams.web import bounds, doors, headers, rates, stream

PAGE = " ".join((Path(__file__).resolve().parents[2] / "docs" / "security.md").read_text().split())


def test_the_bounds_are_those_of_the_code() -> None:
    said = [
        f"{MAX_BYTES // 1024**2} MB, {MAX_DEPTH} levels, and a value {MAX_KEYS:,} keys",
        f"nest {MAX_DEPTH} deep",
        f"sent {bounds.GUESSES} wrong ones",
        f"try {'one' if bounds.GUESSES_PER_SECOND == 1 else bounds.GUESSES_PER_SECOND} a second",
        f"times a second ({Settings.model_fields['http_rate'].default:g}), "
        f"{'twice' if doors.BURST_SECONDS == 2 else doors.BURST_SECONDS} that at once",
        f"{rates.IPV6_NETWORK} bits is one client; {rates.CLIENTS:,} clients are remembered",
        f"most {bounds.AT_ONCE} requests, and {bounds.AT_ONCE} of other workers, are worked on (503), "
        f"{patience.MOST} connections",
        f"at most {stream.MOST} beside these (503), and each ends after {stream.LIFE_SECONDS:g} s",
        f"{bounds.TARGET // 1024} KB (414), a head {patience.HEAD // 1024} KB (400)",
        f"a body {bounds.BODY // 1024} KB (413)",
        f"has {patience.REQUEST_SECONDS:g} s to arrive, and a client {patience.READ_SECONDS:g} s to read",
    ]
    assert [each for each in said if each not in PAGE] == []


def test_the_headers_are_those_of_the_code() -> None:
    names = [name.decode() for name, _ in headers.ALWAYS] + ["content-security-policy"]
    assert [name for name in names if f"`{name}" not in PAGE.lower()] == []
