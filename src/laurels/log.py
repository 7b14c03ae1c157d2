"""Logging: structured lines on standard error, one canonical line per request, never anything personal.

Laurels' own lines go from `structlog` straight to the stream; what libraries say through the standard library is put
into the same form. Only here is logging configured, once per process; everybody else asks for a logger and states
fields.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import sys
import time
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, Final, TextIO

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger, Processor

from laurels.core.calendar import MICROSECONDS_PER_SECOND, format_instant
from laurels.settings import Settings

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_encode: Final = msgspec.json.Encoder(enc_hook=str).encode


def configure(settings: Settings, stream: TextIO | Together | None = None) -> None:
    """From here on every log line of the process is written as the settings say."""
    out: Any = _together(sys.stderr) if stream is None else stream
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
    ]
    own: list[Processor]
    last: Processor
    if settings.log_format == "text":
        last = structlog.dev.ConsoleRenderer(colors=False)
        own = [*shared, last]
    else:
        last = structlog.processors.JSONRenderer(serializer=_json)
        own = [_in_json]
    structlog.configure(
        processors=own,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.log_level]),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[settings.log_level])
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        theirs = logging.getLogger(name)
        theirs.handlers.clear()
        theirs.propagate = True
    # Every request has its canonical line already.
    logging.getLogger("uvicorn.access").disabled = True


class Together:
    """A stream on which the lines of one turn of the event loop are written at once; without a loop each at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._held: list[str] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def write(self, text: str) -> None:
        """Takes a line, or part of one."""
        self._held.append(text)

    def flush(self) -> None:
        """What was taken is written before the loop waits for anything."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.end()
            return
        if len(self._held) == 1 or loop is not self._loop:
            self._loop = loop
            loop.call_soon(self.end)

    def end(self) -> None:
        """Writes what is left now."""
        held, self._held = self._held, []
        if held and not self._stream.closed:
            self._stream.write("".join(held))
            self._stream.flush()


def _together(stream: TextIO) -> Together:
    """The stream with a writer in front of it that misses nothing when the process ends in the middle of a turn."""
    together = Together(stream)
    atexit.register(together.end)
    return together


def logger(name: str) -> FilteringBoundLogger:
    """A logger that says whose lines these are, as configured by now."""
    bound: FilteringBoundLogger = structlog.get_logger().bind(logger=name)
    return bound


def _in_json(logger: Any, method: str, fields: MutableMapping[str, Any]) -> str:
    """All steps from fields to a line in one: every request has a line, which should cost little beside it."""
    structlog.processors.add_log_level(logger, method, fields)
    second, micro = divmod(time.time_ns() // 1000, MICROSECONDS_PER_SECOND)
    fields["at"] = f"{_to_the_second(second)}.{micro:06}Z"
    if "exc_info" in fields:
        fields = structlog.processors.format_exc_info(logger, method, fields)
    return _encode(fields).decode()


@lru_cache(2)
def _to_the_second(second: int) -> str:
    return format_instant(second * MICROSECONDS_PER_SECOND)[:-1]


def _json(fields: dict[str, Any], **_options: Any) -> str:
    return _encode(fields).decode()
