"""`authsvc serve` in one process: with the very services whose opening said whether it can."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any

import uvicorn

from authsvc.app import create_app
from authsvc.cli.demo import refuse_demo
from authsvc.opening import open_services
from authsvc.settings import Settings
from authsvc.wiring import Services


class _Opened(AbstractAsyncContextManager[Services]):
    """Services that are open already; whoever enters closes them at the end."""

    def __init__(self, services: Services, whole: AsyncExitStack) -> None:
        self._services = services
        self._whole = whole

    async def __aenter__(self) -> Services:
        return self._services

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._whole.__aexit__(kind, error, traceback)


def serve_alone(settings: Settings, options: Callable[[], dict[str, Any]]) -> None:
    """Open the services, and serve with them until told to stop; *options* are the server's.

    Raises:
        OperatorError, Unavailable: they cannot be opened, or are those of `authsvc dev`.
    """
    # Connections belong to the event loop that they were made in, so the server gets that as well.
    runner = asyncio.Runner(loop_factory=uvicorn.Config("", log_config=None).get_loop_factory())
    loop = runner.get_loop()
    try:
        opened = runner.run(open_checked(settings))
        try:
            uvicorn.run(create_app(settings, opened=opened), **options() | {"loop": lambda: loop})
        finally:
            if not loop.is_closed():  # the server never ran
                runner.run(_close(opened))
    finally:
        if not loop.is_closed():
            runner.close()


async def open_checked(settings: Settings) -> AbstractAsyncContextManager[Services]:
    """Return the services, open already; whoever enters closes them at the end. Raises as `serve_alone`."""
    async with AsyncExitStack() as opened:
        opening = open_services(settings, wait_seconds=settings.start_wait_seconds)
        services = await opened.enter_async_context(opening)
        await refuse_demo(services)
        return _Opened(services, opened.pop_all())


async def _close(opened: AbstractAsyncContextManager[Services]) -> None:
    async with opened:
        pass
