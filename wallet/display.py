"""The two forms of progress: lines that move on a terminal, plain lines in a log."""

import shutil
from collections.abc import Callable
from textwrap import wrap
from typing import Final, TextIO

from meshchain.rpc.client.session import printable
from wallet.progress import QUIET

MAX_LINES: Final = 4
"""Rows of the terminal that one line of progress may take."""
_ERASE_LINE: Final = "\r\033[K"
_ERASE_LINE_ABOVE: Final = "\033[A\033[K"


class MovingLines:
    """A few lines on a terminal, as wide as it is, written over with every look."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._height = 0

    def show(self, stage: str, text: str) -> None:  # noqa: ARG002 - moving lines show every change
        width = max(20, shutil.get_terminal_size().columns - 1)
        lines = [piece for line in printable(text).split("\n") for piece in _wrapped(line, width)]
        self._write(_ERASE_LINE + _ERASE_LINE_ABOVE * (self._height - 1) + "\n".join(lines))
        self._height = len(lines)

    def close(self) -> None:
        if self._height:
            self._write(_ERASE_LINE + _ERASE_LINE_ABOVE * (self._height - 1))
            self._height = 0

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _wrapped(line: str, width: int) -> list[str]:
    return wrap(line, width, max_lines=MAX_LINES, placeholder=" …")


class PlainLines:
    """A line when something happened, and now and then when only the numbers changed."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock
        self._stage: str | None = None
        self._text = ""
        self._last = 0.0

    def show(self, stage: str, text: str) -> None:
        now = self._clock()
        if stage != self._stage or (text != self._text and now - self._last >= QUIET):
            print(printable(text), file=self._stream, flush=True)
            self._stage, self._text, self._last = stage, text, now

    def close(self) -> None:
        """Nothing is left open."""
