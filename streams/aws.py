"""AWS's APIs from here: one session, clients that wait and try again, answers as plain JSON, refusals as messages.

Knows: boto3 and the extra that brings it, profiles and roles, botocore's errors, which permission a call needs.
Must not know: what is asked of AWS and why, Kafka, commands.

Throttling is botocore's: its adaptive mode keeps a rate of its own, waits with jitter and tries again, so nobody here
has to.  Secrets are in no message: of botocore's errors only those are quoted that speak of names and places.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from streams.settings import PlainError

TRIES = 10
CONNECT_SECONDS, READ_SECONDS = 10, 60
EXTRA = "hyperpod-state[aws]"
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "403"})
UNKNOWN_CALLER = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "AuthFailure",
        "MissingAuthenticationToken",
    }
)
TOO_FAST = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
    }
)
ABSENT = frozenset({"ResourceNotFound", "ResourceNotFoundException", "NoSuchBucket", "NoSuchKey", "404"})
PERMISSIONS = {"HeadObject": "s3:GetObject", "ListObjectsV2": "s3:ListBucket"}
"""Where the permission is not called as the operation is."""


class AwsError(PlainError):
    """AWS does not answer, or does not do what it is asked; `code` is AWS's own word for it, where it has said one."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code

    @property
    def is_about_the_question(self) -> bool:
        """Whether another question may be answered: it is neither the caller that is refused nor AWS that is away."""
        return bool(self.code) and self.code not in UNKNOWN_CALLER and self.code not in TOO_FAST


class Absent(AwsError):
    """What was asked about does not exist."""


class Denied(AwsError):
    """A permission is missing; the message names it."""


@dataclass(frozen=True)
class Account:
    """Whose AWS is meant: as the AWS command line takes it."""

    profile: str | None = None
    role_arn: str | None = None
    region: str | None = None


class Api:
    """One service.  Operations have the names of boto3's methods, such as `list_cluster_events`."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """One answer, as plain JSON.  Raises AwsError."""
        with self._refusals(operation):
            return self._said(operation, getattr(self.client, operation)(**parameters))

    def pages(self, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Every page of an answer, as plain JSON.  Raises AwsError."""
        with self._refusals(operation):
            for page in self.client.get_paginator(operation).paginate(**parameters):
                yield self._said(operation, page)

    def _said(self, operation: str, answer: Mapping[str, Any]) -> dict[str, Any]:
        """As plain JSON, if AWS has said it: what a proxy says instead looks like an answer that is empty."""
        if not answer.get("ResponseMetadata", {}).get("RequestId"):
            name = self.client.meta.method_to_api_mapping[operation]
            raise AwsError(f"What answers {name} is not AWS. Does this network want a login, or is there a proxy?")
        return _plain_object(answer)

    @contextmanager
    def _refusals(self, operation: str) -> Iterator[None]:
        name = self.client.meta.method_to_api_mapping[operation]
        service = self.client.meta.service_model.signing_name
        with refusals(name, PERMISSIONS.get(name, f"{service}:{name}"), self.client.meta.region_name):
            yield


class Aws:
    """One session: the same credentials for every service."""

    def __init__(self, account: Account) -> None:
        self._session = _session(account)
        self.region: str | None = self._session.region_name

    def api(self, service: str) -> Api:
        """A client of a service.  Raises AwsError."""
        from botocore.config import Config

        config = Config(
            retries={"mode": "adaptive", "total_max_attempts": TRIES},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            user_agent_extra=f"hyperpod-state/{version('hyperpod-state')}",
        )
        with refusals(service, None, self.region):
            return Api(self._session.client(service, config=config))


def plain(value: Any) -> Any:
    """An answer as JSON has it: moments as ISO 8601 to the millisecond."""
    if isinstance(value, Mapping):
        return _plain_object(value)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return _iso(value) if isinstance(value, datetime) else value


def _plain_object(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: plain(each) for key, each in value.items()}


def _iso(moment: datetime) -> str:
    """To the nearest millisecond: AWS sends seconds with a fraction, which is not always exact."""
    near = moment.astimezone(UTC) + timedelta(microseconds=500)
    return near.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _session(account: Account) -> Any:
    try:
        import boto3
        import botocore.session
    except ImportError:
        raise AwsError(f"This asks AWS, which needs one more package: pip install '{EXTRA}'") from None
    region = account.region or os.environ.get("AWS_REGION")  # which boto3, other than every other tool, does not read
    with refusals("the profile", None, region):
        session = boto3.Session(profile_name=account.profile, region_name=region or None)
        if account.role_arn is None:
            return session
        inner = botocore.session.Session(profile=account.profile)
        inner._credentials = _role(session, account.role_arn)
        return boto3.Session(botocore_session=inner, region_name=session.region_name)


def _role(session: Any, role_arn: str) -> Any:
    """Credentials of a role: fetched with the session's own, and again before they end."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    own = session.get_credentials()
    if own is None:
        raise AwsError(_NO_CREDENTIALS)
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=session.client,
        source_credentials=own,
        role_arn=role_arn,
        extra_args={"RoleSessionName": "hyperpod-state"},
    )

    def fetch() -> Any:
        with refusals("AssumeRole", "sts:AssumeRole", session.region_name):
            return fetcher.fetch_credentials()

    return DeferredRefreshableCredentials(fetch, "assume-role")


_NO_CREDENTIALS = (
    "There are no AWS credentials here. Log in (`aws sso login`, `aws configure`), name a profile with --profile, "
    "or run where a role gives them."
)


@contextmanager
def refusals(asked: str, permission: str | None, region: str | None) -> Iterator[None]:
    """AwsError for whatever botocore raises within; `asked` is what for, `permission` what it needs."""
    from botocore import exceptions as known

    try:
        yield
    except (known.NoCredentialsError, known.PartialCredentialsError):
        raise AwsError(_NO_CREDENTIALS) from None
    except known.NoRegionError:
        raise AwsError("Which AWS region? Give --region, or set AWS_REGION.") from None
    except (known.TokenRetrievalError, known.SSOError, known.LoginError, known.CredentialRetrievalError) as error:
        raise AwsError(f"The AWS login has ended or cannot be used: {error}. Log in again: `aws sso login`.") from None
    except (known.ConnectionError, known.HTTPClientError) as error:
        where = f" in {region}" if region else ""
        raise AwsError(
            f"AWS{where} does not answer {asked}: {error}. Is that the region, and does this machine reach AWS?"
        ) from None
    except known.ClientError as error:
        raise _refusal(error, asked, permission) from None
    except known.BotoCoreError as error:  # a profile that is not there, a name that cannot be one
        raise AwsError(f"AWS cannot be asked for {asked}: {error}") from None


def _refusal(error: Any, asked: str, permission: str | None) -> AwsError:
    said = error.response.get("Error", {})
    code, message = str(said.get("Code", "")), str(said.get("Message") or "no reason given")
    if code in DENIED:
        need = f" The permission {permission} is missing." if permission else ""
        return Denied(f"AWS does not allow {asked}.{need} It says: {message}", code)
    if code in UNKNOWN_CALLER:
        return AwsError(
            f"AWS does not accept these credentials ({code}). Log in again, and check this machine's clock.", code
        )
    if code in TOO_FAST:
        return AwsError(f"AWS asked to slow down {TRIES} times in a row at {asked} ({code}). Try again later.", code)
    kind = Absent if code in ABSENT else AwsError
    return kind(f"AWS refuses {asked} ({code or 'no code'}): {message}", code)
