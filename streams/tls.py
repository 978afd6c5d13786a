"""TLS contexts out of files: TLS 1.2 or newer, names and certificates checked.

Knows: PEM files, what to say where one cannot be used.
Must not know: who uses a context, for what.

No message here has anything of a file's content.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from streams import secret_files
from streams.http_access import HttpAccess, HttpTls
from streams.settings import StartError


class Unusable(StartError):
    """A file cannot be used; the message names the setting and the file."""


def believing(authorities: Path | None, variable: str) -> ssl.SSLContext:
    """For whoever asks: the other side must have a certificate of these authorities; None: of the system's."""
    try:
        context = ssl.create_default_context(cafile=None if authorities is None else str(authorities))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    except (OSError, ssl.SSLError) as error:
        raise _unusable(variable, authorities, error) from None
    return context


def show(context: ssl.SSLContext, certificate: Path, key: Path | None, password: str | None, variables: str) -> None:
    """Let the context show a certificate.  An empty password where there is none: else OpenSSL would ask for it."""
    try:
        context.load_cert_chain(certificate, key, password or "")
    except (OSError, ssl.SSLError) as error:
        raise _unusable(variables, certificate, error) from None


def asking(settings: HttpTls) -> ssl.SSLContext:
    """For whoever asks a worker."""
    context = believing(settings.http_tls_ca_file, "HTTP_TLS_CA_FILE")
    _show_ours(context, settings)
    return context


def answering(settings: HttpAccess) -> ssl.SSLContext | None:
    """For a worker's HTTP side; None where it speaks without TLS.

    A client's certificate is asked for, and checked where it is shown.  Whether there must be one is decided for each
    request (`streams.web.auth`): probes have none.
    """
    if settings.http_tls_certificate_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _show_ours(context, settings)
    authorities = settings.http_tls_client_ca_file
    if authorities is not None:
        try:
            context.load_verify_locations(authorities)
        except (OSError, ssl.SSLError) as error:
            raise _unusable("HTTP_TLS_CLIENT_CA_FILE", authorities, error) from None
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _show_ours(context: ssl.SSLContext, settings: HttpTls) -> None:
    if settings.http_tls_certificate_file is not None:
        password = _password(settings.http_tls_key_password_file)
        variables = "HTTP_TLS_CERTIFICATE_FILE or HTTP_TLS_KEY_FILE"
        show(context, settings.http_tls_certificate_file, settings.http_tls_key_file, password, variables)


def _password(path: Path | None) -> str | None:
    try:
        return None if path is None else secret_files.content(path, "HYPERPOD_STATE_HTTP_TLS_KEY_PASSWORD_FILE")
    except secret_files.BadSecret as error:
        raise Unusable(str(error)) from None


def _unusable(variable: str, path: Path | None, error: Exception) -> Unusable:
    why = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
    return Unusable(f"HYPERPOD_STATE_{variable}: {path} cannot be used: {why}")
