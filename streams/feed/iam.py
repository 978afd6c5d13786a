"""Logging in to Amazon MSK with the function's own role.

Knows: AWS's signer, which needs the SDK that Lambda's Python brings along.
Must not know: producers.

Unlike `streams.msk` it needs no aiokafka, and it signs anew for each connection: a function makes one and keeps it.
"""

from __future__ import annotations

from typing import Any

from kafka.net.sasl.oauth import AbstractTokenProvider


class _Signed(AbstractTokenProvider):  # type: ignore[misc]  # the library has no types
    def __init__(self, region: str) -> None:
        super().__init__()
        self._region = region

    def token(self) -> str:
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

        token, _ = MSKAuthTokenProvider.generate_auth_token(self._region)
        return str(token)


def tokens(region: str) -> Any:
    """For kafka-python."""
    return _Signed(region)
