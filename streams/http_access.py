"""How a worker is reached over HTTP, and reaches others: addresses, encryption, who may ask.

Knows: names of settings, which of them need each other.
Must not know: servers and clients (`streams.http`, `streams.peers`, `streams.client`), how files are read.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from streams.access import KafkaAccess
from streams.addresses import is_loopback
from streams.secret_files import TOKEN, TOKEN_FILE, SecretFile, content, sendable

EVERYWHERE = ("0.0.0.0", "::")  # nosec B104  # looked for, not listened on
"""Hosts that mean every address of this machine, and none that another could ask."""


class HttpTls(BaseSettings):
    """Who one is, and whom one believes: for workers and for the commands that ask them."""

    model_config = KafkaAccess.model_config

    http_tls_certificate_file: Path | None = Field(
        default=None,
        description="PEM: our certificate. The worker then speaks HTTPS only. It, and commands, show it to workers "
        "that ask for one.",
    )
    http_tls_key_file: Path | None = Field(default=None, description="PEM: its key, where that is a file of its own.")
    http_tls_key_password_file: SecretFile | None = Field(default=None, description="What the key is encrypted with.")
    http_tls_ca_file: Path | None = Field(
        default=None,
        description="PEM: authorities by which commands, and other workers, check the worker that they ask; empty: the "
        "system's.",
    )

    @model_validator(mode="after")
    def _a_key_of_something(self) -> HttpTls:
        for name in ("http_tls_key_file", "http_tls_key_password_file", "http_tls_client_ca_file"):
            if getattr(self, name, None) and not self.http_tls_certificate_file:
                raise ValueError(f"{_variable(name)} is of no use without {_variable('http_tls_certificate_file')}")
        return self


class HttpAccess(HttpTls):
    """Of a worker."""

    http_host: str = Field(
        default="127.0.0.1",
        description="Address of the HTTP side; not loopback: needs a token, or certificates of clients.",
    )
    http_port: int = Field(default=8780, ge=0, le=65535, description="Port of the HTTP side; 0 takes any free one.")
    http_advertise: str = Field(
        default="",
        description="URL at which the other workers reach this one; empty: made of http_host (of this machine's name, "
        "where that is every address) and http_port.",
    )
    http_token: SecretStr | None = Field(
        default=None, min_length=16, description="Bearer token that HTTP requests must carry; never shown."
    )
    http_token_file: SecretFile | None = Field(default=None, description="A file that holds the token instead.")
    http_allowed_hosts: str = Field(
        default="",
        description="Names, comma-separated, by which HTTP may be asked. On loopback they add to localhost; elsewhere, "
        "where any are given, others are refused. Addresses, and the name in http_advertise, are always good.",
    )
    http_rate: float = Field(
        default=200.0,
        ge=0.0,
        le=100_000.0,
        description="Requests per second of one client, twice that at once; 0: any. This machine is not counted.",
    )
    http_tls_client_ca_file: Path | None = Field(
        default=None, description="PEM: clients must show a certificate of one of these authorities (mutual TLS)."
    )

    @model_validator(mode="before")
    @classmethod
    def _token_in_a_file(cls, given: Any) -> Any:
        """Read once, when the worker starts: from then on there is one token, wherever it came from."""
        if not isinstance(given, dict) or not given.get("http_token_file"):
            return given
        if given.get("http_token"):
            raise ValueError(f"{TOKEN} and {TOKEN_FILE}: give one of them")
        return {**given, "http_token": content(Path(given["http_token_file"]), TOKEN_FILE)}

    @field_validator("http_token")
    @classmethod
    def _sendable(cls, value: SecretStr | None) -> SecretStr | None:
        return value and SecretStr(sendable(value.get_secret_value(), TOKEN))

    @field_validator("http_advertise")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and not (parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/")):
            raise ValueError("give scheme, host and port, such as http://worker-1.example.com:8780")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _closed_doors(self) -> HttpAccess:
        if self.http_token is None and self.http_tls_client_ca_file is None and not is_loopback(self.http_host):
            ways = f"{TOKEN} or {TOKEN_FILE}, or {_variable('http_tls_client_ca_file')}"
            raise ValueError(f"{self.http_host} can be reached from elsewhere: set {ways}")
        if self.http_tls_certificate_file and self.http_advertise.startswith("http:"):
            raise ValueError(f"{_variable('http_advertise')} says http, but this worker speaks https only")
        return self

    @property
    def http_names(self) -> list[str]:
        """The names by which HTTP may be asked, beside addresses and localhost; none: any that is not loopback's."""
        names = [name.strip() for name in self.http_allowed_hosts.split(",") if name.strip()]
        told = urlsplit(self.http_advertise).hostname or ""
        return [*names, *([told] if told and (names or is_loopback(self.http_host)) else [])]

    def address(self, port: int) -> str:
        """The URL at which the other workers reach this one, which listens at `port`."""
        if self.http_advertise:
            return self.http_advertise
        scheme = "https" if self.http_tls_certificate_file else "http"
        host = socket.gethostname() if self.http_host in EVERYWHERE else self.http_host
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _variable(name: str) -> str:
    return f"{HttpTls.model_config.get('env_prefix', '')}{name}".upper()
