"""Logging in to Amazon MSK with IAM: tokens that are signed with AWS credentials, for both of our Kafka libraries.

Knows: the signer of the extra `hyperpod-state[msk]`, how long a token may be used.
Must not know: clients, settings.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from aiokafka.abc import AbstractTokenProvider as AsyncTokens
from kafka.net.sasl.oauth import AbstractTokenProvider as BlockingTokens

from streams.settings import StartError

Sign = Callable[[str], tuple[str, int]]
EARLY_MS = 60_000
"""A token is signed anew so long before it ends."""


class MskError(StartError):
    """The extra is missing, or nobody says which region it is."""


class Tokens:
    """One token for as long as it holds: connections are many, and each would sign one."""

    def __init__(self, sign: Sign, region: str, clock: Callable[[], float] = time.time) -> None:
        self._sign, self._region, self._clock = sign, region, clock
        self._token, self._until = "", 0
        self._lock = threading.Lock()

    def token(self) -> str:
        """One that holds for a minute at least."""
        with self._lock:
            if self._clock() * 1000 >= self._until - EARLY_MS:
                self._token, self._until = self._sign(self._region)
            return self._token


class _Blocking(BlockingTokens):  # type: ignore[misc]  # the library has no types
    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens

    def token(self) -> str:
        return self._tokens.token()


class _Async(AsyncTokens):  # type: ignore[misc]
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def token(self) -> str:
        """In a thread, as it may ask AWS for credentials."""
        return await asyncio.to_thread(self._tokens.token)


def blocking_tokens(region: str) -> Any:
    """For kafka-python."""
    return _Blocking(Tokens(_signer(), _region(region)))


def async_tokens(region: str) -> Any:
    """For aiokafka and Faust."""
    return _Async(Tokens(_signer(), _region(region)))


def _region(region: str) -> str:
    found = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not found:
        raise MskError("AWS_MSK_IAM: in which region? Set HYPERPOD_STATE_KAFKA_REGION or AWS_REGION.")
    return found


def _signer() -> Sign:
    try:
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
    except ImportError:
        raise MskError("AWS_MSK_IAM needs one more package: pip install 'hyperpod-state[msk]'") from None
    sign: Sign = MSKAuthTokenProvider.generate_auth_token
    return sign
