"""The table `[alerts]` of the settings file: sinks, whom they reach, what they hear of.

Knows: names, defaults and bounds; which URLs may be used; where secrets are.
Must not know: HTTP, what a message looks like.

Secrets are never in the table itself: `NAME_file` or `NAME_env` says where one is.  No message here quotes one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from models.public_anomaly import Severity
from streams import config_file
from streams.addresses import is_loopback
from streams.alerts.filters import Filter, matcher
from streams.secret_files import BadSecret, content, sendable
from streams.settings import PlainError

TABLE = "alerts"
Seconds = Annotated[float, Field(gt=0, le=3600)]
Matchers = list[dict[str, str]]
URI = r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+"
"""What may be in one.  Services refuse a message with any other link in it, so that nobody would be paged."""


class BadConfig(PlainError):
    """The table cannot be used; the message says what is wrong where."""


class SinkConfig(BaseModel):
    """What every sink may be told."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    secrets: ClassVar[tuple[str, ...]] = ()
    """Secrets that it needs or may have: of each there is a `_file` and an `_env`."""
    needed: ClassVar[tuple[str, ...]] = ()
    """Those of them, or `url`, that there must be."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$",
        description="Its name in logs and metrics, and in what is remembered: another name is another sink.",
    )
    min_severity: Severity = Field(default=Severity.WARNING, description="The least severity that it hears of.")
    planned: bool = Field(default=False, description="Whether it hears of what happens within planned work.")
    silenced: bool = Field(default=False, description="Whether it hears of what is silenced.")
    only: Matchers = Field(
        default=[], description="Matchers as silences have them; if any are given, one of them has to match."
    )
    never: Matchers = Field(default=[], description="Matchers; what one of them matches is not heard of.")
    timeout: Seconds = Field(default=10.0, description="Seconds for one request.")
    ca_file: Path | None = Field(default=None, description="PEM: authorities to check it by; empty: the system's.")
    allow_http: bool = Field(default=False, description="Whether it may be reached without encryption beyond loopback.")
    proxy: str = Field(
        default="",
        description="An HTTP proxy on the way: http://proxy.example.com:3128.  Those of the environment are not used.",
    )

    @field_validator("only", "never")
    @classmethod
    def _known_matchers(cls, value: Matchers) -> Matchers:
        for each in value:
            try:
                matcher(each)
            except ValidationError as error:
                raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        return value

    @field_validator("proxy")
    @classmethod
    def _a_proxy(cls, value: str) -> str:
        if value and not (re.fullmatch(r"http://[A-Za-z0-9.\[\]:-]+/?", value) and _has_host(value)):
            raise ValueError("it is no http://HOST:PORT; names and passwords for a proxy are not supported")
        return value

    @model_validator(mode="after")
    def _complete(self) -> SinkConfig:
        for name in self.secrets:
            if getattr(self, f"{name}_file") and getattr(self, f"{name}_env"):
                raise ValueError(f"{name}_file and {name}_env: give one of them")
        for name in self.needed:
            ways = [way for way in (name, f"{name}_file", f"{name}_env") if way in type(self).model_fields]
            given = [way for way in ways if getattr(self, way)]
            if len(given) != 1:
                raise ValueError(f"give one of {', '.join(ways)}")
        if plain := getattr(self, "url", ""):
            self.checked(plain)
        return self

    @property
    def filter(self) -> Filter:
        """What it hears of."""
        only, never = (tuple(matcher(each) for each in given) for given in (self.only, self.never))
        return Filter(self.min_severity, self.planned, self.silenced, only, never)

    def secret(self, name: str) -> str | None:
        """A secret, read where it is now; None where there is none.  Raises BadSecret."""
        path, variable = getattr(self, f"{name}_file"), getattr(self, f"{name}_env")
        if path is not None:
            found = content(path, f"{name}_file of {self.name}").strip()
        elif variable:
            found = os.environ.get(variable, "").strip()
        else:
            return None
        if not found:
            raise BadSecret(f"{name} of {self.name}: {variable or path} is empty or not there")
        return sendable(found, f"{name} of {self.name}")

    def target(self) -> str:
        """The URL to send to.  Raises BadSecret."""
        plain: str = getattr(self, "url", "")
        found = plain or self.secret("url") or ""
        try:
            return self.checked(found)
        except ValueError as error:
            raise BadSecret(f"url of {self.name}: {error}") from None

    def checked(self, url: str) -> str:
        """The URL without a slash at its end.  ValueError, which does not quote it."""
        if not re.match("https?://", url, re.IGNORECASE) or not _has_host(url):
            raise ValueError("it is no URL of http or https")
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None:
            raise ValueError("no name and password within the URL: they would be shown")
        if parts.scheme == "http" and not self.allow_http and not is_loopback(parts.hostname or ""):
            raise ValueError("it is not encrypted: use https, or say allow_http = true")
        return url.rstrip("/")


def _has_host(url: str) -> bool:
    """Whether somebody can be asked there: a host, and a port that there may be."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is too large
        return False


class Alertmanager(SinkConfig):
    """Prometheus Alertmanager, by its API v2."""

    secrets: ClassVar[tuple[str, ...]] = ("password", "token")
    needed: ClassVar[tuple[str, ...]] = ("url",)
    type: Literal["alertmanager"]
    url: str = Field(default="", description="Such as https://alertmanager.example.com; `/api/v2/alerts` is added.")
    labels: dict[Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")], str] = Field(
        default={}, description="Labels that every alert gets, for routing."
    )
    resend_seconds: Seconds = Field(default=60.0, description="How often what is open is sent again.")
    hold_seconds: Seconds = Field(
        default=300.0,
        description="How long an alert stays open by itself, if this command stops; more than three times.",
    )
    username: str = Field(default="", description="For basic authentication, with a password.")
    password_file: Path | None = Field(default=None, description="A file that holds the password.")
    password_env: str = Field(default="", description="Or the variable that does.")
    token_file: Path | None = Field(default=None, description="A file that holds a bearer token.")
    token_env: str = Field(default="", description="Or the variable that does.")

    @model_validator(mode="after")
    def _outlives(self) -> Alertmanager:
        if self.hold_seconds < 3 * self.resend_seconds:
            raise ValueError("hold_seconds has to be three times resend_seconds at least: a resend may fail")
        if bool(self.username) != bool(self.password_file or self.password_env):
            raise ValueError("username and password_file (or password_env) go together")
        if self.username and (self.token_file or self.token_env):
            raise ValueError("a username and a token: give one of them")
        return self


class PagerDuty(SinkConfig):
    """PagerDuty, by its Events API v2."""

    secrets: ClassVar[tuple[str, ...]] = ("routing_key",)
    needed: ClassVar[tuple[str, ...]] = ("routing_key",)
    type: Literal["pagerduty"]
    url: str = Field(
        default="https://events.pagerduty.com/v2/enqueue",
        description="Accounts in Europe: https://events.eu.pagerduty.com/v2/enqueue.",
    )
    routing_key_file: Path | None = Field(default=None, description="A file that holds the integration key.")
    routing_key_env: str = Field(default="", description="Or the variable that does.")


class Slack(SinkConfig):
    """Slack, by an incoming webhook, whose URL is the secret."""

    secrets: ClassVar[tuple[str, ...]] = ("url",)
    needed: ClassVar[tuple[str, ...]] = ("url",)
    type: Literal["slack"]
    url_file: Path | None = Field(default=None, description="A file that holds the webhook's URL.")
    url_env: str = Field(default="", description="Or the variable that does.")


class Webhook(SinkConfig):
    """Anything that takes CloudEvents as JSON."""

    secrets: ClassVar[tuple[str, ...]] = ("url", "token")
    needed: ClassVar[tuple[str, ...]] = ("url",)
    type: Literal["webhook"]
    url: str = Field(default="", description="Where to; secrets within it belong into url_file or url_env.")
    url_file: Path | None = Field(default=None, description="A file that holds the URL.")
    url_env: str = Field(default="", description="Or the variable that does.")
    token_file: Path | None = Field(default=None, description="A file that holds a bearer token.")
    token_env: str = Field(default="", description="Or the variable that does.")
    source: str = Field(default="hyperpod-state", description="The events' `source`, a URI or the end of one.")

    @field_validator("source")
    @classmethod
    def _reference(cls, value: str) -> str:
        if not re.fullmatch(URI, value):
            raise ValueError("it is no URI reference, as CloudEvents want it: no spaces, nothing but ASCII")
        return value


AnySink = Annotated[Alertmanager | PagerDuty | Slack | Webhook, Field(discriminator="type")]


class Config(BaseModel):
    """The whole table."""

    model_config = SinkConfig.model_config

    link: str = Field(
        default="", description="Where people read on; `{anomaly_id}` within it is replaced.  Empty: no link."
    )
    docs: str = Field(
        default="",
        description="Where docs/ of this project can be read, for links to runbooks.  The address of a worker will do.",
    )
    sinks: list[AnySink] = Field(min_length=1, description="Who is told.")

    @field_validator("link", "docs")
    @classmethod
    def _links(cls, value: str) -> str:
        if value and not re.fullmatch(f"https?://{URI}", value.replace("{anomaly_id}", "id")):
            raise ValueError("it is no URL of http or https")
        return value.rstrip("/")

    @field_validator("sinks")
    @classmethod
    def _names_differ(cls, value: list[Any]) -> list[Any]:
        names = [each.name for each in value]
        if doubles := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"several are called {', '.join(doubles)}")
        return value


def load() -> Config:
    """The table of the settings file.  Raises BadConfig and config_file.BadFile."""
    told = config_file.apart(TABLE)
    if told is None:
        raise BadConfig(f"There is no table [{TABLE}] in the settings: name the file with --config FILE.")
    try:
        return Config.model_validate(told)
    except ValidationError as error:
        raise BadConfig("\n".join(_line(told, wrong) for wrong in error.errors())) from None


def _line(told: Any, wrong: Any) -> str:
    """What is wrong with which sink; never what was given."""
    where = [part for part in wrong["loc"] if part not in ("alertmanager", "pagerduty", "slack", "webhook")]
    text = wrong["msg"].removeprefix("Value error, ")
    if where[:1] == ["sinks"] and len(where) > 1 and isinstance(where[1], int):
        sink = told["sinks"][where[1]]
        name = sink.get("name") if isinstance(sink, dict) else None
        where[:2] = [f"sink {name if isinstance(name, str) else where[1] + 1}"]
    return f"[{TABLE}] {' '.join(str(part) for part in where)}: {text}"
