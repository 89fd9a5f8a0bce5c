"""A network of two hosts on this machine: register alice.mesh on one, reach it from the other, and let both run.

Run by ``make run``. Everything is real: ledgers in LevelDB, a wallet with seed words, stamps, mined blocks, proven
neighbours, sealed packets, DNS, TLS. With root the hosts are network namespaces with TUN devices, and ordinary programs
speak over the mesh (``namespaces``); without, they are two nodes on loopback (``loopback``). Nothing is left behind at
the end, whichever way it comes.
"""

import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType
from typing import Final

from examples.first_name import loopback, namespaces, screen, story
from examples.first_name.closing import explain, suggest
from examples.first_name.hosts import FailedError, Pair
from examples.first_name.namespaces import ImpossibleError

_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    _at_an_end(signal.default_int_handler)
    with ExitStack() as stack:
        try:
            return _show(stack)
        except KeyboardInterrupt:
            with suppress(OSError):  # the terminal may be gone
                screen.step("stopping …")
            return 0
        except BrokenPipeError:  # nobody reads any more
            return 1
        finally:
            _at_an_end(signal.SIG_IGN)  # what is removed now is removed whole


def _at_an_end(handler: "Callable[[int, FrameType | None], None] | signal.Handlers") -> None:
    for each in _ENDINGS:
        signal.signal(each, handler)


def _show(stack: ExitStack) -> int:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="meshchain-", ignore_cleanup_errors=True)))
    pair = _pair(folder, stack)
    try:
        story.tell(pair, folder)
        suggest(pair, folder)
        host = pair.wait()
        if not host.was_stopped:
            raise FailedError(host, "a program there has ended")
        screen.step(f"{host.name}'s node was stopped")
        return 0
    except FailedError as error:
        explain(error)
        return 1


def _pair(folder: Path, stack: ExitStack) -> Pair:
    """The best that this machine lets us have."""
    try:
        with ExitStack() as attempt:
            pair = namespaces.pair(folder, attempt)
            stack.enter_context(attempt.pop_all())
    except ImpossibleError as why:
        screen.said("two nodes on this machine's loopback. Two hosts with TUN devices, which ordinary programs use,")
        screen.said(f"would show more: {why}")
        return loopback.pair(folder, stack)
    screen.said("two hosts, each a network namespace of its own; this machine's own network stays as it is")
    return pair


if __name__ == "__main__":
    sys.exit(main())
