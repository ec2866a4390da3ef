"""Logs: one JSON object per line for machines, or coloured lines for people."""

import json
import logging
import sys
import unicodedata
from collections.abc import MutableMapping
from contextvars import ContextVar
from functools import cache, partial
from traceback import format_exception
from typing import Any, Literal, TextIO

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


class Output(logging.StreamHandler[TextIO]):
    """Where every line goes: those of libraries as records of `logging`, ours when they are made.

    Saves: a record for each of ours, which is filled, passed up and copied: half of what a line costs.
    Invariant: level, lock, and what happens when a line cannot be written are the same for both.
    To switch it off: `structlog.stdlib.LoggerFactory`, and `wrap_for_formatter` as the last processor.
    """

    def write(self, line: str) -> None:
        """Write *line*, which is whole; raises nothing."""
        self.acquire()
        try:
            self.stream.write(line + self.terminator)
            self.stream.flush()
        except Exception:  # noqa: BLE001 - whatever it is, as in `emit`
            self.handleError(logging.makeLogRecord({"msg": line}))
        finally:
            self.release()


class _Logger:
    """What `structlog` takes for a logger of `logging`: it has the level of one, and writes past it."""

    def __init__(self, output: Output, name: str) -> None:
        self.name = name
        self._logger = logging.getLogger(name)
        self.getEffectiveLevel = self._logger.getEffectiveLevel
        self.debug = self.info = self.warning = self.error = self.exception = self.critical = output.write

    @property
    def disabled(self) -> bool:
        return self._logger.disabled


# long: one chain for our lines and the libraries', which must not drift apart
def configure_logs(style: Literal["json", "console"], level: str) -> None:
    """Send every log line of the process, ours and the libraries', to standard error in one form."""
    shared: list[structlog.typing.Processor] = [
        add_request,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if style == "json":
        shared.append(structlog.processors.format_exc_info)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(_json)
        if style == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default prints local variables, and with them passwords and tokens.
            exception_formatter=_indented_traceback,
        )
    )
    # JSON escapes by itself whatever is not ASCII.
    last = [] if style == "json" else [_escape]
    output = Output(sys.stderr)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, *last, renderer],
        logger_factory=cache(partial(_Logger, output)),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    # No line says where in the code it was written, or in which thread, and to find out takes half as long
    # again as to write it ("Optimization", in the logging HOWTO).
    logging._srcfile = None  # noqa: SLF001 - as that says
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    output.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [output]
    root.setLevel(logging.WARNING)
    logging.getLogger("authsvc").setLevel(level.upper())
    logging.getLogger("uvicorn").setLevel(logging.INFO)


_encode = json.JSONEncoder(default=repr).encode  # made once: to make one takes as long as it takes to encode


def _json(event: object, **_: object) -> str:
    return _encode(event)


def _escape(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _visible(value)
    return event


def _indented_traceback(stream: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    # Every line of it is indented: one that an error's text brings along must not pass for one of ours.
    lines = "".join(format_exception(*exc_info)).splitlines()
    stream.write("".join(f"\n    {_visible(line)}" for line in lines))


def _visible(text: str) -> str:
    """Return *text* with all escaped that moves, colours, hides or turns what a terminal shows."""
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        else character
        for character in text
    )
