"""The routes."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response, WebSocket
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swiftseg.server.access import check_key, check_origin
from swiftseg.server.answers import Answer, Format, Outlines, Wanted, negotiated
from swiftseg.server.batches import batch_answer
from swiftseg.server.bodies import Picture
from swiftseg.server.browser_page import add_page
from swiftseg.server.descriptions import (
    ONE_ANSWER,
    ONE_PICTURE,
    SEVERAL_ANSWERS,
    SEVERAL_PICTURES,
)
from swiftseg.server.limits import Limits
from swiftseg.server.metrics import Metrics
from swiftseg.server.problems import (
    ProblemError,
    answer_with_problems,
    documented,
    problem_response,
)
from swiftseg.server.service import Load, Service, unless_gone
from swiftseg.server.stream import TRY_AGAIN_LATER, answer_frames

_CLIENT_GONE = 499  # nginx's number; nobody reads it but the metrics

ModelName = Annotated[str | None, Query(description="A name of /v1/models; else the first.")]
FormatName = Annotated[
    Format | None, Query(alias="as", description="The answer's format, before `Accept`.")
]
OutlinesName = Annotated[
    Outlines, Query(description="For JSON: the classes' regions in COCO's form.")
]
Alpha = Annotated[float, Query(ge=0, le=1, description="For overlays: the colors' part.")]


def create_app(
    load: Load,
    *,
    failed: Callable[[Exception], None],
    limits: Limits,
    workers: int,
    answers_while_loading: bool = False,
    key: str | None = None,
    cors_origins: Sequence[str] = (),
    page: Path | None = None,
) -> FastAPI:
    """Return the application, whose models `load` returns by name, the default first.

    `load` runs in a thread; `failed` is called if a model cannot be loaded or run. With
    `answers_while_loading`, requests that come before get 503; else they wait.
    """
    service = Service(limits=limits, workers=workers)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        del app
        loading = asyncio.create_task(service.load(load, failed))
        if not answers_while_loading:
            await loading
        yield
        loading.cancel()
        service.queue.close()

    app = FastAPI(
        title="swiftseg",
        version=version("swiftseg"),
        description="Real-time semantic segmentation. Errors are RFC 9457 problems.",
        lifespan=lifespan,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
    )
    answer_with_problems(app)
    _answer_the_gone(app)
    app.include_router(_pictures(service, key))
    app.include_router(_batches(service, key))
    app.include_router(_streams(service, key, cors_origins))
    app.include_router(_operations(service, key))
    add_page(app, page, needs_key=key is not None)
    app.add_middleware(_Counted, metrics=service.metrics)
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "X-API-Key", "Content-Type"],
            expose_headers=["Server-Timing", "Retry-After"],
        )
    return app


def _pictures(service: Service, key: str | None) -> APIRouter:
    router = APIRouter(prefix="/v1", dependencies=[Depends(_guard(key))], tags=["pictures"])

    @router.get("/models", responses=documented(401, 503))
    async def models() -> dict[str, list[dict[str, Any]]]:
        """List the models, the default first, with their classes and input sizes."""
        return {"models": [segmenter.spec.to_dict() for segmenter in service.segmenters().values()]}

    @router.post(
        "/segment", response_class=Response, responses=ONE_ANSWER, openapi_extra=ONE_PICTURE
    )
    async def segment(
        request: Request,
        model: ModelName = None,
        as_: FormatName = None,
        outlines: OutlinesName = "none",
        alpha: Alpha = 0.5,
    ) -> Response:
        """Segment one picture; the answer is a label map (PNG) unless another format is wanted."""
        segmenter = service.segmenter(model)
        wanted = Wanted(as_ or negotiated(request.headers.get("accept", "")), outlines, alpha)
        pictures = await service.receive(request)
        if len(pictures) > 1:
            raise ProblemError(
                422, f"expected one picture, got {len(pictures)}; use /v1/segment/batch for several"
            )
        answer = await unless_gone(request, service.answer(segmenter, pictures[0], wanted))
        headers = {"Server-Timing": answer.server_timing()}
        return Response(answer.content, media_type=answer.media_type, headers=headers)

    del models, segment
    return router


def _batches(service: Service, key: str | None) -> APIRouter:
    router = APIRouter(prefix="/v1", dependencies=[Depends(_guard(key))], tags=["pictures"])

    @router.post(
        "/segment/batch",
        response_class=Response,
        responses=SEVERAL_ANSWERS,
        openapi_extra=SEVERAL_PICTURES,
    )
    async def segment_batch(
        request: Request,
        model: ModelName = None,
        as_: FormatName = "json",
        outlines: OutlinesName = "none",
        alpha: Alpha = 0.5,
    ) -> Response:
        """Segment several pictures; a bad one costs itself alone."""
        segmenter = service.segmenter(model)
        wanted = Wanted(as_ or "json", outlines, alpha)
        pictures = await service.receive(request)
        limit = service.limits.max_batch
        if len(pictures) > limit:
            raise ProblemError(413, f"a batch holds {limit} pictures at most, got {len(pictures)}")
        results = await unless_gone(request, service.answers(segmenter, pictures, wanted))
        content, media_type = batch_answer(pictures, results, wanted.format)
        return Response(content, media_type=media_type)

    del segment_batch
    return router


def _streams(service: Service, key: str | None, origins: Sequence[str]) -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.websocket("/stream")
    async def stream(
        socket: WebSocket,
        model: ModelName = None,
        as_: FormatName = "labels",
        outlines: OutlinesName = "none",
        alpha: Alpha = 0.5,
    ) -> None:
        """Segment frames as they come; see `answer_frames`."""
        try:
            check_origin(socket.headers, origins)
            check_key(key, socket.headers)
            segmenter = service.segmenter(model)
        except ProblemError as problem:
            await socket.send_denial_response(problem_response(problem))
            return
        await socket.accept()
        if service.streams >= service.limits.max_streams:
            await socket.close(TRY_AGAIN_LATER, "too many streams are open; try again later")
            return
        wanted = Wanted(as_ or "labels", outlines, alpha)

        async def answer(frame: bytes) -> Answer:
            return await service.answer(segmenter, Picture("the frame", frame), wanted)

        service.streams += 1
        try:
            await answer_frames(
                socket,
                answer,
                silence_s=service.limits.stream_silence_s,
                count_dropped=service.metrics.count_dropped,
            )
        finally:
            service.streams -= 1

    del stream
    return router


def _operations(service: Service, key: str | None) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Whether the process answers, also while its models load."""
        return {"status": "alive"}

    @router.get("/readyz", responses=documented(503))
    async def readyz() -> dict[str, Any]:
        """Whether the models are loaded and warmed."""
        return {"status": "ready", "models": list(service.segmenters())}

    @router.get(
        "/metrics",
        dependencies=[Depends(_guard(key))],
        response_class=Response,
        responses={
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
            **documented(401),
        },
    )
    async def metrics() -> Response:
        """Return the counters in Prometheus's text format."""
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")

    del healthz, readyz, metrics
    return router


def _guard(key: str | None) -> Any:
    async def guard(request: Request) -> None:
        check_key(key, request.headers)

    return guard


def _answer_the_gone(app: FastAPI) -> None:
    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        del request, error
        return Response(status_code=_CLIENT_GONE)

    del gone


class _Counted:
    """Counts answers by path and status."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, partial(self._send, scope, send))

    async def _send(self, scope: Scope, send: Send, message: Message) -> None:
        if message["type"] == "http.response.start":
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.count_request(path, message["status"])
            message["headers"].append((b"x-content-type-options", b"nosniff"))
        await send(message)
