"""The two forms of progress: a line that moves on a terminal, plain lines in a log."""

import shutil
from collections.abc import Callable
from typing import TextIO

from meshchain.rpc.client.session import printable
from wallet.progress import QUIET


class MovingLine:
    """One line on a terminal, written over with every look."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._open = False

    def show(self, stage: str, text: str) -> None:  # noqa: ARG002 - a moving line shows every change
        width = shutil.get_terminal_size().columns - 1
        self._stream.write("\r\033[K" + printable(text)[:width])
        self._stream.flush()
        self._open = True

    def close(self) -> None:
        if self._open:
            self._stream.write("\r\033[K")
            self._stream.flush()


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
