"""What goes together when Kafka is reached, and what is refused before anything is sent."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from streams import connection, msk
from streams.settings import Settings

SECRET = "nobody-may-see-this"
LOGIN = {"kafka_tls": True, "kafka_sasl_mechanism": "SCRAM-SHA-256", "kafka_username": "u"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({**LOGIN, "kafka_tls": False, "kafka_password": SECRET}, "KAFKA_SASL_MECHANISM needs an encrypted connection"),
        ({"kafka_ca_file": "ca.pem"}, "KAFKA_CA_FILE needs an encrypted connection"),
        (LOGIN, "SCRAM-SHA-256 needs HYPERPOD_STATE_KAFKA_USERNAME and HYPERPOD_STATE_KAFKA_PASSWORD_FILE"),
        ({**LOGIN, "kafka_password": SECRET, "kafka_password_file": "p"}, "give one of them"),
        ({"kafka_tls": True, "kafka_password": SECRET}, "of no use without a mechanism"),
        ({"kafka_tls": True, "kafka_key_file": "k"}, "of no use without HYPERPOD_STATE_KAFKA_CERTIFICATE_FILE"),
        ({**LOGIN, "kafka_sasl_mechanism": "GSSAPI", "kafka_password": SECRET}, "SCRAM-SHA-512"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Settings(**given)
    assert why in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_secrets_are_in_nothing_that_is_printed() -> None:
    settings = Settings(**LOGIN, kafka_password=SECRET)
    assert SECRET not in settings.public() + repr(settings) + str(settings)
    assert connection.options(settings)["sasl_plain_password"] == SECRET


def test_without_tls_no_client_is_told_of_any() -> None:
    assert connection.options(Settings()) == {"bootstrap_servers": ["127.0.0.1:19092"]}
    assert connection.faust_credentials(Settings()) is None


def test_a_renewed_password_is_taken_up(tmp_path: Path) -> None:
    file = tmp_path / "password"
    settings = Settings(**LOGIN, kafka_password_file=file)
    for word in ("first", "second"):
        file.write_text(f"{word}\n")
        assert connection.aio_options(settings)["sasl_plain_password"] == word
        assert connection.faust_credentials(settings).password == word


class TestMsk:
    """IAM tokens reach every library; the signer is one made up here, as there is no MSK to ask."""

    settings = Settings(kafka_tls=True, kafka_sasl_mechanism="AWS_MSK_IAM", kafka_region="us-west-2")

    @pytest.fixture
    def signed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        regions: list[str] = []

        def sign(region: str) -> tuple[str, int]:
            regions.append(region)
            return f"token {len(regions)}", 2_000_000_000_000

        provider = SimpleNamespace(MSKAuthTokenProvider=SimpleNamespace(generate_auth_token=sign))
        monkeypatch.setitem(sys.modules, "aws_msk_iam_sasl_signer", provider)
        return regions

    def test_every_library_gets_a_token(self, signed: list[str]) -> None:
        kafka_python, aio = connection.options(self.settings), connection.aio_options(self.settings)
        faust = connection.faust_credentials(self.settings)
        assert {each["security_protocol"] for each in (kafka_python, aio)} == {"SASL_SSL"}
        assert {each["sasl_mechanism"] for each in (kafka_python, aio)} == {"OAUTHBEARER"}
        assert kafka_python["sasl_oauth_token_provider"].token() == "token 1"
        assert asyncio.run(aio["sasl_oauth_token_provider"].token()) == "token 2"
        assert asyncio.run(faust.oauth_cb.token()) == "token 3"
        assert set(signed) == {"us-west-2"}

    def test_a_token_is_signed_anew_before_it_ends(self) -> None:
        now, count = [0.0], iter(range(1, 9))
        tokens = msk.Tokens(
            lambda region: (f"{region} {next(count)}", int(now[0] * 1000) + 900_000), "r", lambda: now[0]
        )
        seen = []
        for now[0] in (0.0, 839.0, 840.0, 841.0):
            seen.append(tokens.token())
        assert seen == ["r 1", "r 1", "r 2", "r 2"]

    def test_what_is_missing_is_said(self, monkeypatch: pytest.MonkeyPatch, signed: list[str]) -> None:
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        with pytest.raises(msk.MskError, match="HYPERPOD_STATE_KAFKA_REGION"):
            connection.options(self.settings.model_copy(update={"kafka_region": ""}))
        monkeypatch.setitem(sys.modules, "aws_msk_iam_sasl_signer", None)
        with pytest.raises(msk.MskError, match=r"hyperpod-state\[msk\]"):
            connection.options(self.settings)
