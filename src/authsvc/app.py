"""The web application: routers, error responses, middleware, and the services' life."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import cached_property, partial
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from authsvc import __version__, background
from authsvc.endpoints import ROUTERS, error_responses
from authsvc.endpoints.admission import Admission, Limits, Room
from authsvc.endpoints.at_once import AtOnce
from authsvc.endpoints.middleware import LastResort, RequestFrame
from authsvc.endpoints.openapi import describe
from authsvc.endpoints.whole_answer import GLANCE
from authsvc.environment import load_settings
from authsvc.errors import Unavailable
from authsvc.garbage import settle_in
from authsvc.jobs import jobs
from authsvc.logs import configure_logs
from authsvc.opening import open_services
from authsvc.settings import Settings
from authsvc.stopping import Stop
from authsvc.switching import switch_soon
from authsvc.wiring import Services


def create_app(
    settings: Settings | None = None, *, opened: AbstractAsyncContextManager[Services] | None = None
) -> "Application":
    """Return the application; without *settings* they come from the environment.

    It opens its services when it begins, if they are not *opened* already, and closes them when it ends.
    """
    configured = settings or load_settings()
    configure_logs(configured.log_format, configured.log_level)

    @asynccontextmanager
    async def lifespan(app: Application) -> AsyncIterator[dict[str, Any]]:
        stop: Stop = app.state.stop
        with stop.heeding(configured.drain_seconds):
            opening = opened or open_services(configured, wait_seconds=configured.start_wait_seconds)
            async with opening as services:
                await services.hasher.warm_up()
                with suppress(Unavailable):  # its job tries again
                    await services.accounts.learn_hash_costs()
                app.state.services = services
                async with background.running(jobs(services)):
                    settle_in()
                    switch_soon()
                    stop.is_serving()
                    yield {GLANCE: app.frame}

    app = build_app(configured)
    app.router.lifespan_context = lifespan
    return app


def build_app(settings: Settings | None = None, *, at_once: bool = True) -> "Application":
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
    app.room = Room(_limits(settings))
    app.answers_at_once = at_once
    app.hsts_seconds = hsts_seconds(settings)
    app.is_behind_proxies = settings is not None and bool(settings.trusted_proxies)
    for router in ROUTERS:
        app.include_router(router)
    error_responses.install(app)
    app.openapi = partial(describe, app)  # type: ignore[method-assign] # the documented way to replace it
    _surround(app, settings)
    return app


def _surround(app: "Application", settings: Settings | None) -> None:
    """Put the layers around *app*, the innermost first."""
    app.add_middleware(Admission, room=app.room, oauth_paths=_oauth_paths())
    app.add_middleware(LastResort)
    if settings is not None and settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After", "WWW-Authenticate"],
        )


def _limits(settings: Settings | None) -> Limits:
    if settings is None:
        return Limits()
    return Limits(settings.max_requests, settings.max_body_kib * 1024, settings.body_seconds)


def hsts_seconds(settings: Settings | None) -> int:
    """Return for how long browsers are told to use https only."""
    # Over plain http it would mean nothing (RFC 6797 §7.2).
    return settings.hsts_seconds if settings is not None and settings.issuer.startswith("https:") else 0


def _oauth_paths() -> frozenset[str]:
    routes = (route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute))
    return frozenset(route.path for route in routes if error_responses.OAUTH in route.tags)


class Application(FastAPI):
    """FastAPI with a frame around it that also answers what need not come so far."""

    room: Room
    answers_at_once: bool
    hsts_seconds: int
    is_behind_proxies: bool

    @cached_property
    def frame(self) -> RequestFrame:
        """What every request meets first."""
        at_once = AtOnce(self.state, self.room, is_on=self.answers_at_once and not self._is_observed())
        return RequestFrame(
            super().__call__,
            at_once,
            self.state.stop,
            hsts_seconds=self.hsts_seconds,
            is_behind_proxies=self.is_behind_proxies,
        )

    def _is_observed(self) -> bool:
        # Whoever set OpenTelemetry up wants to see every request, and it is the framework that shows them.
        return self._native_telemetry.enabled()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one life."""
        if scope["type"] == "http":
            await self.frame(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
