"""The web application: routers, error responses, middleware, and the services' life."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property, partial

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from authsvc import __version__, background
from authsvc.clock import Clock
from authsvc.endpoints import ROUTERS, error_responses
from authsvc.endpoints.at_once import QUESTIONS, AtOnce, Question
from authsvc.endpoints.middleware import LastResort, RequestFrame
from authsvc.endpoints.openapi import describe
from authsvc.jobs import jobs
from authsvc.logs import configure_logs
from authsvc.settings import Settings, load_settings
from authsvc.stopping import Stop
from authsvc.wiring import open_services


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """Return the application; without *settings* they come from the environment."""
    configured = settings or load_settings()
    configure_logs(configured.log_format, configured.log_level)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        stop: Stop = app.state.stop
        with stop.heeding(configured.drain_seconds):
            async with open_services(
                configured, clock=clock, wait_seconds=configured.start_wait_seconds
            ) as services:
                await services.hasher.warm_up()
                app.state.services = services
                async with background.running(jobs(services)):
                    stop.is_serving()
                    yield

    app = build_app(cors_origins=configured.cors_origins)
    app.router.lifespan_context = lifespan
    return app


def build_app(*, cors_origins: Sequence[str] = (), at_once: bool = True) -> FastAPI:
    """Return the application without a life of its own: whoever runs it sets `app.state.services`.

    *at_once*: whether `endpoints/at_once.py` answers what it can.
    """
    app = Application(
        title="authsvc",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Its logs would hand out parsed bodies, passwords among them.
        telemetry={"logs": False},
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.stop = Stop()
    app.questions = QUESTIONS if at_once else {}
    for router in ROUTERS:
        app.include_router(router)
    error_responses.install(app)
    app.openapi = partial(describe, app)  # type: ignore[method-assign] # the documented way to replace it
    app.add_middleware(LastResort)
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After", "WWW-Authenticate"],
        )
    return app


class Application(FastAPI):
    """FastAPI with a frame around it that also answers what need not come so far."""

    questions: Mapping[str, Question] = {}

    @cached_property
    def frame(self) -> RequestFrame:
        """What every request meets first."""
        return RequestFrame(super().__call__, AtOnce(self.state, self.questions), self.state.stop)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one life."""
        if scope["type"] == "http":
            await self.frame(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
