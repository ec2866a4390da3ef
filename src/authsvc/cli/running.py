"""Run one command over the services, as the environment configures them."""

import asyncio
import logging
import sys
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
        is_seen = _is_seen()
        configure_logs("console" if is_seen else settings.log_format, settings.log_level)
        if settings.log_level == "info":
            # A person sees what the command prints; a log gets the events too.
            logging.getLogger("authsvc").setLevel(logging.WARNING)
            logging.getLogger("authsvc.audit").setLevel(logging.WARNING if is_seen else logging.INFO)
        async with open_services(settings) as services:
            return await work(services)

    return asyncio.run(run())


def _is_seen() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
