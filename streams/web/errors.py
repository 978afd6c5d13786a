"""Every failure of HTTP as one JSON shape, with what to do about it.

Knows: how FastAPI reports failures.
Must not know: routes (but for those that are in no document), the state, any payload.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from streams.runbooks.places import PATH as RUNBOOKS
from streams.web.answers import RETRY_AFTER, ApiError, ErrorAnswer, Problem

HINTS = {
    404: ("not_found", "the routes are listed at /"),
    405: ("read_only", "everything here is GET, but /api/v1/sql, which is POST"),
}
LEFT_OUT = "leave it out: what an address of a runbook does not name is filled in by hand"
"""A name that no command may have; no document describes these pages."""


def handle_errors(api: FastAPI) -> None:
    """Make `api` answer every failure as an `ErrorAnswer`."""

    @api.exception_handler(ApiError)
    async def known(_: Request, error: ApiError) -> Response:
        return answer(error.status, error.problem)

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        of_runbook = request.url.path.startswith(RUNBOOKS)
        return answer(400, _invalid(error, LEFT_OUT if of_runbook else "see /openapi.json"))

    @api.exception_handler(HTTPException)
    async def routing(_: Request, error: HTTPException) -> Response:
        code, hint = HINTS.get(error.status_code, ("refused", "the routes are listed at /"))
        return answer(error.status_code, Problem(code=code, message=str(error.detail), hint=hint), error.headers)

    @api.exception_handler(Exception)
    async def unforeseen(_: Request, error: Exception) -> Response:
        message = f"{HTTPStatus.INTERNAL_SERVER_ERROR.phrase}: {type(error).__name__}"
        return answer(500, Problem(code="internal", message=message, hint="the worker's log has the details"))


def answer(status: int, problem: Problem, headers: object = None) -> Response:
    """The problem as a response; a 503 says when to come back."""
    sent = dict(headers) if isinstance(headers, dict) else {}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        sent["Retry-After"] = str(RETRY_AFTER)
    return Response(ErrorAnswer(error=problem).model_dump_json(), status, sent, "application/json")


def _invalid(error: RequestValidationError, hint: str) -> Problem:
    """The first complaint, in words: which parameter, what is wrong with it."""
    first = error.errors()[0]
    name = str(first["loc"][-1])
    if first["type"] == "extra_forbidden":
        return Problem(code="unknown_parameter", message=f"no parameter {name!r} here", hint=hint)
    return Problem(code="bad_parameter", message=f"{name}: {first['msg']}", hint=hint)
