"""How Kafka is reached: addresses, encryption, who one is; the part of the settings that every client needs.

Knows: names of settings, which of them need each other.
Must not know: Kafka's clients (`streams.connection`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from streams import config_file
from streams.secret_files import SecretFile

Mechanism = Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "AWS_MSK_IAM"]
PREFIX = "HYPERPOD_STATE_"


class KafkaAccess(BaseSettings):
    """Secrets are never shown; files are read when a client is made, so that a renewed one is taken up."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    brokers: str = Field(default="127.0.0.1:19092", description="Kafka bootstrap servers, host:port, comma-separated.")
    kafka_tls: bool = Field(default=False, description="Encrypt connections to Kafka, and check whom they reach.")
    kafka_ca_file: Path | None = Field(
        default=None, description="PEM: authorities that the brokers' certificates are checked by; empty: the system's."
    )
    kafka_certificate_file: Path | None = Field(
        default=None, description="PEM: our own certificate, where the brokers ask for one."
    )
    kafka_key_file: Path | None = Field(default=None, description="PEM: its key, where that is a file of its own.")
    kafka_key_password_file: SecretFile | None = Field(default=None, description="What the key is encrypted with.")
    kafka_sasl_mechanism: Mechanism = Field(default="", description="How to log in; needs TLS. Empty: not at all.")
    kafka_username: str = Field(default="", description="For PLAIN and SCRAM.")
    kafka_password: SecretStr | None = Field(default=None, description="For PLAIN and SCRAM; never shown.")
    kafka_password_file: SecretFile | None = Field(default=None, description="A file that holds the password instead.")
    kafka_region: str = Field(
        default="", pattern=r"^[a-z0-9-]{0,32}$", description="For AWS_MSK_IAM; empty: AWS_REGION says it."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given outright, then variables, then the file.  Raises streams.config_file.BadFile."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, config_file.named())

    @field_validator("brokers")
    @classmethod
    def _hosts(cls, value: str) -> str:
        hosts = [host.strip() for host in value.split(",") if host.strip()]
        if not hosts:
            raise ValueError("give at least one host:port")
        return ",".join(hosts)

    @model_validator(mode="after")
    def _goes_together(self) -> KafkaAccess:
        """A password or a certificate that would be sent, or left out, unnoticed is refused."""
        needs_tls = ("kafka_sasl_mechanism", "kafka_ca_file", "kafka_certificate_file")
        for name in needs_tls:
            if getattr(self, name) and not self.kafka_tls:
                raise ValueError(f"{_variable(name)} needs an encrypted connection: set {_variable('kafka_tls')}=true")
        for name in ("kafka_key_file", "kafka_key_password_file"):
            if getattr(self, name) and not self.kafka_certificate_file:
                raise ValueError(f"{_variable(name)} is of no use without {_variable('kafka_certificate_file')}")
        if self.kafka_password and self.kafka_password_file:
            raise ValueError(f"{_variable('kafka_password')} and {_variable('kafka_password_file')}: give one of them")
        return self._login()

    def _login(self) -> KafkaAccess:
        named = self.kafka_sasl_mechanism not in ("", "AWS_MSK_IAM")
        known = bool(self.kafka_username) and bool(self.kafka_password or self.kafka_password_file)
        if named and not known:
            wanted = f"{_variable('kafka_username')} and {_variable('kafka_password_file')}"
            raise ValueError(f"{_variable('kafka_sasl_mechanism')}={self.kafka_sasl_mechanism} needs {wanted}")
        if not named and (self.kafka_username or self.kafka_password or self.kafka_password_file):
            wish = f"set {_variable('kafka_sasl_mechanism')}, such as SCRAM-SHA-512"
            raise ValueError(f"a name and a password for Kafka are of no use without a mechanism: {wish}")
        return self

    @classmethod
    def secrets(cls) -> set[str]:
        """The settings that are secrets themselves, told by their type."""
        fields = cls.model_fields.items()
        return {name for name, field in fields if SecretStr in (field.annotation, *get_args(field.annotation))}

    @property
    def bootstrap(self) -> list[str]:
        """The brokers as clients want them."""
        return self.brokers.split(",")


def _variable(name: str) -> str:
    return f"{PREFIX}{name}".upper()
