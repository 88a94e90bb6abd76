"""Errors as problems (RFC 9457): a status and one sentence that says what to do."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from swiftseg.core import SwiftsegError
from swiftseg.data.images.header import ImageTooLargeError, NotAnImageError

MEDIA_TYPE = "application/problem+json"


class ProblemBody(BaseModel):
    """What an error's body holds."""

    title: str
    status: int
    detail: str


class ProblemError(Exception):
    """A request that is not answered as asked.

    The detail is one sentence that says what to do.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the problem's body as plain JSON types."""
        title = HTTPStatus(self.status).phrase
        return ProblemBody(title=title, status=self.status, detail=self.detail).model_dump()


def image_problem(error: SwiftsegError) -> ProblemError:
    """Return the problem of a picture that cannot be decoded."""
    if isinstance(error, NotAnImageError):
        return ProblemError(415, f"{error}; send one of these")
    if isinstance(error, ImageTooLargeError):
        return ProblemError(413, f"{error}; send a smaller one")
    return ProblemError(422, f"{error}; send another one")


def problem_response(problem: ProblemError) -> JSONResponse:
    """Return the response that a problem becomes."""
    return JSONResponse(
        problem.body(), problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )


def answer_with_problems(app: FastAPI) -> None:
    """Make every error of an application a problem, those of its frameworks too."""

    @app.exception_handler(ProblemError)
    async def own(request: Request, error: ProblemError) -> JSONResponse:
        del request
        return problem_response(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        del request
        first = error.errors()[0]
        return problem_response(ProblemError(422, f"{first['loc'][-1]}: {first['msg']}"))

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> JSONResponse:
        details = {
            404: f"there is no {request.url.path} here; see /openapi.json for what there is",
            405: f"{request.url.path} does not take {request.method}; see /openapi.json",
        }
        detail = details.get(error.status_code, str(error.detail))
        return problem_response(ProblemError(error.status_code, detail, error.headers))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        del request, error  # uvicorn logs it
        return problem_response(
            ProblemError(500, "the server failed at this request; its log says why")
        )

    del own, invalid, framework, unexpected


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of these problems for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": ProblemBody.model_json_schema()}}
    return {
        s: {"description": _MEANINGS[s], "content": content, "headers": _HEADERS.get(s, {})}
        for s in statuses
    }


_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds until the request may be sent again.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
_HEADERS: Mapping[int, dict[str, Any]] = {429: _RETRY_AFTER, 503: _RETRY_AFTER}

_MEANINGS: Mapping[int, str] = {
    400: "The request is no valid multipart body.",
    401: "The API key is missing or wrong.",
    404: "No model has that name.",
    406: "No format that `Accept` allows can be given.",
    408: "The body did not arrive in time.",
    413: "The body, the picture or the answer is larger than the server's limit.",
    415: "The body is no picture in a format that is read.",
    422: "The picture is damaged, or a parameter has a value that does not exist.",
    429: "The queue is full; `Retry-After` says when to come again.",
    503: "The models are not loaded yet, the picture waited too long, or too much arrives at once.",
}
