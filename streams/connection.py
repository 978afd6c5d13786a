"""How every Kafka client of ours reaches the brokers: one place that makes their options.

Knows: what kafka-python, aiokafka and Faust call the same setting; how to say why a broker cannot be reached.
Must not know: topics, records, what a client is for.

Secrets are in no message here: errors of the libraries are quoted only where they speak of the connection.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streams import msk, secret_files, tls
from streams.handshake import Bounded
from streams.settings import Settings, StartError

REQUEST_MS = 30_000
REACH_MS = 15_000
CONNECT_SECONDS = 5.0
# Without any handler Python prints warnings on standard error, which belongs to the commands.
logging.getLogger("kafka").addHandler(logging.NullHandler())


class NoKafka(StartError):
    """Kafka does not answer, or does not do what it is asked."""


def options(settings: Settings) -> dict[str, Any]:
    """For clients of kafka-python."""
    security = _security(settings, msk.blocking_tokens)
    if security:
        security["ssl_context"] = Bounded(security["ssl_context"], CONNECT_SECONDS)
    return {"bootstrap_servers": settings.bootstrap, **security}


def aio_options(settings: Settings) -> dict[str, Any]:
    """For clients of aiokafka."""
    return {"bootstrap_servers": settings.bootstrap, **_security(settings, msk.async_tokens)}


def faust_credentials(settings: Settings) -> Any | None:
    """For Faust's own transport; None where neither encryption nor a login is wanted."""
    from faust import auth

    made = _security(settings, msk.async_tokens)
    if not made:
        return None
    context = made["ssl_context"]
    if "sasl_oauth_token_provider" in made:
        return auth.OAuthCredentials(oauth_cb=made["sasl_oauth_token_provider"], ssl_context=context)
    if "sasl_mechanism" not in made:
        return auth.SSLCredentials(context)
    return auth.SASLCredentials(
        username=made["sasl_plain_username"],
        password=made["sasl_plain_password"],
        mechanism=made["sasl_mechanism"],
        ssl_context=context,
    )


def _security(settings: Settings, tokens: Any) -> dict[str, Any]:
    """kafka-python and aiokafka use the same names.  NoKafka where a file cannot be used."""
    if not settings.kafka_tls:
        return {}
    mechanism = settings.kafka_sasl_mechanism
    if not mechanism:
        return {"security_protocol": "SSL", "ssl_context": tls_context(settings)}
    login: dict[str, Any] = {"security_protocol": "SASL_SSL", "ssl_context": tls_context(settings)}
    if mechanism == "AWS_MSK_IAM":
        return {**login, "sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": tokens(settings.kafka_region)}
    names = {"sasl_plain_username": settings.kafka_username, "sasl_plain_password": _password(settings)}
    return {**login, "sasl_mechanism": mechanism, **names}


def tls_context(settings: Settings) -> ssl.SSLContext:
    """TLS 1.2 or newer, names and certificates checked."""
    try:
        context = tls.believing(settings.kafka_ca_file, "KAFKA_CA_FILE")
        if settings.kafka_certificate_file is not None:
            password = _content(settings.kafka_key_password_file, "KAFKA_KEY_PASSWORD_FILE")
            variables = "KAFKA_CERTIFICATE_FILE or KAFKA_KEY_FILE"
            tls.show(context, settings.kafka_certificate_file, settings.kafka_key_file, password, variables)
    except tls.Unusable as error:
        raise NoKafka(str(error)) from None
    return context


def _password(settings: Settings) -> str | None:
    if settings.kafka_password is not None:
        return settings.kafka_password.get_secret_value()
    return _content(settings.kafka_password_file, "KAFKA_PASSWORD_FILE")


def _content(path: Path | None, name: str) -> str | None:
    try:
        return None if path is None else secret_files.content(path, f"HYPERPOD_STATE_{name}")
    except secret_files.BadSecret as error:
        raise NoKafka(str(error)) from None


def require_listener(settings: Settings) -> None:
    """NoKafka where nobody listens: kafka-python would try for long, and leave its sockets open.

    With TLS the handshake is made as well, as the reason for which it fails is lost in the libraries.
    """
    context = tls_context(settings) if settings.kafka_tls else None
    failures = [_failure(address, context) for address in settings.bootstrap]
    if None not in failures:
        raise no_answer(settings, next((each for each in failures if each), None))


def no_answer(settings: Settings, why: str | None = None) -> NoKafka:
    """What to say where no broker answers."""
    if why is not None:
        return NoKafka(f"No connection to Kafka at {settings.brokers}: {why}")
    return NoKafka(
        f"No Kafka broker answers at {settings.brokers}. Is it running? `hyperpod-state broker` starts one here."
    )


@contextmanager
def making(settings: Settings) -> Iterator[None]:
    """Around the making of a client of kafka-python.  NoKafka, with the likely reason, where no broker lets it in.

    The library tries again until its time is over and raises that.  A broker that refuses a login says so and hangs up,
    and who hears the one before the other is chance: so the reason is told from what was tried.
    """
    require_listener(settings)
    try:
        yield
    except KafkaError as error:
        raise no_answer(settings, _likely(settings)) from error


def _likely(settings: Settings) -> str:
    """A broker listens, with TLS where that is wanted, and does not answer."""
    mechanism, who = settings.kafka_sasl_mechanism, settings.kafka_username or "these AWS credentials"
    if mechanism:
        check = "Check name, password and HYPERPOD_STATE_KAFKA_SASL_MECHANISM."
        return f"it listens, and does not let {who} in by {mechanism}. {check}"
    if settings.kafka_tls:
        return "it listens, and does not let us in. Does it want a login, or a certificate of ours?"
    return "it listens, and does not answer. Does it want HYPERPOD_STATE_KAFKA_TLS=true?"


@contextmanager
def admin_client(settings: Settings) -> Iterator[KafkaAdminClient]:
    """A client for questions about the cluster.  NoKafka where it cannot be had, or where Kafka refuses within."""
    with making(settings):
        client = KafkaAdminClient(**options(settings), request_timeout_ms=REQUEST_MS, bootstrap_timeout_ms=REACH_MS)
    try:
        yield client
    except KafkaError as error:
        raise NoKafka(f"Kafka at {settings.brokers} could not be asked: {error}") from error
    finally:
        client.close()


def _failure(address: str, context: ssl.SSLContext | None) -> str | None:
    """None where somebody listens; else why not, empty where nobody does."""
    host, _, port = address.rpartition(":")
    name = host.strip("[]")
    try:
        with socket.create_connection((name, int(port)), CONNECT_SECONDS) as plain:
            if context is not None:
                context.wrap_socket(plain, server_hostname=name).close()
        return None
    except ssl.SSLCertVerificationError as error:
        return f"the certificate of {address} is not trusted: {error.verify_message}. See HYPERPOD_STATE_KAFKA_CA_FILE."
    except ssl.SSLError as error:
        return f"{address} does not speak TLS as we do: {error.reason or 'no reason given'}. Is it the encrypted port?"
    except (OSError, ValueError):
        return ""
