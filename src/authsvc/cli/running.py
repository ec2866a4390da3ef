"""Run one command over the services, as the environment configures them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from authsvc.environment import load_settings
from authsvc.logs import configure_logs
from authsvc.opening import open_services
from authsvc.wiring import Services

T = TypeVar("T")


def with_services(work: Callable[[Services], Awaitable[T]]) -> T:
    """Open the services, let *work* use them, close them.

    Raises:
        OperatorError: the configuration or a store is not good.
    """

    async def run() -> T:
        settings = load_settings()
        # Standard output belongs to the command's result; events go to standard error.
        configure_logs("console", "warning" if settings.log_level == "info" else settings.log_level)
        async with open_services(settings) as services:
            return await work(services)

    return asyncio.run(run())
