"""Logs: one JSON object per line for machines, or coloured lines for people."""

import logging
import sys
from contextvars import ContextVar
from typing import Literal

import structlog

# Of the request that is being served: its id and the address it came from. One variable, set once: binding
# each name anew costs a request ten times as much.
REQUEST: ContextVar[tuple[str, str | None] | None] = ContextVar("request", default=None)


def add_request(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Add to a line what request it is about."""
    request = REQUEST.get()
    if request is not None:
        event.setdefault("request_id", request[0])
        event.setdefault("address", request[1])
    return event


# long: one chain for our lines and the libraries', which must not drift apart
def configure_logs(style: Literal["json", "console"], level: str) -> None:
    """Send every log line of the process, ours and the libraries', to standard error in one form."""
    shared: list[structlog.typing.Processor] = [
        add_request,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if style == "json":
        shared.append(structlog.processors.format_exc_info)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default prints local variables, and with them passwords and tokens.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("authsvc").setLevel(level.upper())
    logging.getLogger("uvicorn").setLevel(logging.INFO)
