"""The log: one line an event on stderr, with colours on a terminal and logfmt elsewhere.

A line that cannot be written ends nothing: where stderr is a file, it often lies on the disk that is full.

While this process has no file descriptors left, trio logs that with a traceback, ten times a second for each listener.
Strangers can bring that about; so it becomes one line a minute here.
"""

import logging
import sys
import time
from contextlib import suppress
from typing import Final

import structlog

_ACCEPTING: Final = "trio.serve_listeners"
_EVERY: Final = 60.0
"""Seconds between two lines about the same trouble."""


class Lines:
    """What structlog writes to. What stderr could not take waits in its buffer, or is lost."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            print(message, file=sys.stderr, flush=True)

    log = debug = info = warn = warning = err = error = exception = critical = fatal = failure = msg


def _lines(*_: object) -> Lines:
    return Lines()


class _Rarely(logging.Handler):
    """What trio says of listeners that can let nobody in."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            structlog.get_logger("node").warning("no connection can come in", reason=record.getMessage())


def configure() -> None:
    accepting = logging.getLogger(_ACCEPTING)
    accepting.handlers, accepting.propagate = [_Rarely()], False
    terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if terminal
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_lines,
        cache_logger_on_first_use=True,
    )
