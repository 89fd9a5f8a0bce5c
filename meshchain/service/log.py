"""The log: one line an event on stderr, with colours on a terminal and logfmt elsewhere.

A line that cannot be written ends nothing: where stderr is a file, it often lies on the disk that is full.
"""

import logging
import sys
from contextlib import suppress

import structlog


class Lines:
    """What structlog writes to. What stderr could not take waits in its buffer, or is lost."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            print(message, file=sys.stderr, flush=True)

    log = debug = info = warn = warning = err = error = exception = critical = fatal = failure = msg


def _lines(*_: object) -> Lines:
    return Lines()


def configure() -> None:
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
