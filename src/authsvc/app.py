"""The web application: routers, error responses, middleware, and the services' life."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware

from authsvc import __version__, background
from authsvc.clock import Clock
from authsvc.endpoints import ROUTERS, error_responses
from authsvc.endpoints.admission import Admission, Limits
from authsvc.endpoints.middleware import LastResort, RequestFrame
from authsvc.endpoints.openapi import describe
from authsvc.environment import load_settings
from authsvc.errors import Unavailable
from authsvc.jobs import jobs
from authsvc.logs import configure_logs
from authsvc.opening import open_services
from authsvc.settings import Settings
from authsvc.stopping import Stop


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
                with suppress(Unavailable):  # its job tries again
                    await services.accounts.learn_hash_costs()
                app.state.services = services
                async with background.running(jobs(services)):
                    stop.is_serving()
                    yield

    app = build_app(configured)
    app.router.lifespan_context = lifespan
    return app


def build_app(settings: Settings | None = None) -> FastAPI:
    """Return the application without a life of its own: whoever runs it sets `app.state.services`."""
    app = FastAPI(
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
    for router in ROUTERS:
        app.include_router(router)
    error_responses.install(app)
    app.openapi = partial(describe, app)  # type: ignore[method-assign] # the documented way to replace it
    _surround(app, settings)
    return app


def _surround(app: FastAPI, settings: Settings | None) -> None:
    """Put the layers around *app*, the innermost first."""
    app.add_middleware(Admission, limits=_limits(settings), oauth_paths=_oauth_paths())
    app.add_middleware(LastResort)
    if settings is not None and settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After", "WWW-Authenticate"],
        )
    app.add_middleware(RequestFrame, stop=app.state.stop, hsts_seconds=_hsts_seconds(settings))


def _limits(settings: Settings | None) -> Limits:
    if settings is None:
        return Limits()
    return Limits(settings.max_requests, settings.max_body_kib * 1024, settings.body_seconds)


def _hsts_seconds(settings: Settings | None) -> int:
    # Over plain http it would mean nothing (RFC 6797 §7.2).
    return settings.hsts_seconds if settings is not None and settings.issuer.startswith("https:") else 0


def _oauth_paths() -> frozenset[str]:
    routes = (route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute))
    return frozenset(route.path for route in routes if error_responses.OAUTH in route.tags)
