"""Secrets that are kept in files, as container platforms mount them, and the token of HTTP wherever it is kept.

Knows: variables, files, what a token may consist of.
Must not know: who needs a secret, and for what.  No message here quotes one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

HOLDS_A_SECRET = "holds a secret"  # noqa: S105  # nosec B105  # says that a setting does
SecretFile = Annotated[Path, HOLDS_A_SECRET]
"""A setting that names a file whose content must be shown nowhere."""
TOKEN, TOKEN_FILE = "HYPERPOD_STATE_HTTP_TOKEN", "HYPERPOD_STATE_HTTP_TOKEN_FILE"
_SENDABLE = re.compile(r"[\x21-\x7e]+")


class BadSecret(ValueError):
    """A secret that cannot be used; the message says which one and why."""


def content(path: Path, name: str) -> str:
    """A secret in a file, without the newline that editors put at its end.  Raises BadSecret."""
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__
        raise BadSecret(f"{name}: {path} cannot be used: {why}") from None


def sendable(token: str, name: str) -> str:
    """The token, if a header can carry it.  Raises BadSecret."""
    if not _SENDABLE.fullmatch(token):
        raise BadSecret(f"{name}: a token has letters, digits and signs of ASCII, and no spaces or line ends")
    return token


def http_token(variables: Mapping[str, str]) -> str | None:
    """The token that a command sends; None where there is none.  Raises BadSecret."""
    given, path = variables.get(TOKEN), variables.get(TOKEN_FILE)
    if given and path:
        raise BadSecret(f"{TOKEN} and {TOKEN_FILE}: give one of them")
    if path:
        return sendable(content(Path(path), TOKEN_FILE), TOKEN_FILE)
    return sendable(given, TOKEN) if given else None
