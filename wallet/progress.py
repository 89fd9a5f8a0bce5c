"""``--wait``: follow operations through the node's queue until the last of them is confirmed.

    queued     waits, or its stamp is being made: bits, rate, percent, expected time and a 95 % bound
    committed  the commit is in the chain; the reveal waits for depth: blocks to go
    pending    in the mempool, waiting for a block
    confirmed  in the chain                                             → done, exit 0
    conflict-lost, expired, refused                                     → the reason, exit 1

The node works whether or not anybody watches, so stopping the watch (Ctrl-C, a lost connection) changes
nothing. Clock, pauses and the place where lines go are passed in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from meshchain.rpc.client.errors import NodeUnreachable
from wallet.errors import RefusalError
from wallet.remote import Queued

PAUSE: Final = 0.4
"""Seconds between two looks: quick enough for a line that moves, nothing for the node."""
PATIENCE: Final = 20.0
"""Seconds that a node may be away (it restarts) before the watch ends."""
QUIET: Final = 15.0
"""Seconds between two plain lines that say the same thing with other numbers."""


class Display(Protocol):
    def show(self, stage: str, text: str) -> None:
        """``stage`` changes when something happened, ``text`` (some lines) with every look."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Watch:
    """How to look: ``queue`` asks the node, ``known`` says whether the chain has a txid the queue forgot."""

    queue: Callable[[], Sequence[Queued]]
    known: Callable[[str], bool]
    clock: Callable[[], float]
    pause: Callable[[float], None]
    display: Display
    timeout: float | None = None


def follow(watch: Watch, txids: Sequence[str]) -> int:
    """Return the last operation's confirmations once all are confirmed.

    RefusalError (conflict-lost, expired, refused, forgotten) with the reason; NodeUnreachable (the
    connection's own code, or wait-timeout).
    """
    started = watch.clock()
    try:
        while True:
            items = _look(watch)
            waiting = [txid for at, txid in enumerate(txids) if not _done(watch, txid, items, txids[at + 1 :])]
            if not waiting:
                return max(1, items[txids[-1]].confirmations) if txids[-1] in items else 1
            item = items[waiting[0]]
            watch.display.show(*_lines([items[txid] for txid in waiting]))
            _check_time(watch, started, item)
            watch.pause(PAUSE)
    finally:
        watch.display.close()


def _lines(waiting: Sequence[Queued]) -> tuple[str, str]:
    """Stage and text: a line for the first operation, and one for the stamp that is made meanwhile for a later one."""
    first = waiting[0]
    shown = [first, *(item for item in waiting[1:] if item.stamp is not None and first.stamp is None)][:2]
    stage = " ".join(f"{item.kind} {item.state} {item.blocks_to_go} {item.stamp is None}" for item in shown)
    return stage, "\n".join(map(describe, shown))


def describe(item: Queued) -> str:
    """One line about where an operation is."""
    what = f"{item.kind} of {item.name}.mesh" if item.name else item.kind
    if item.stamp is not None:
        return f"{what}: {_stamp_line(item.stamp)}"
    if item.blocks_to_go:
        blocks = "block" if item.blocks_to_go == 1 else "blocks"
        return f"{what}: {item.state}, {item.blocks_to_go} {blocks} to go. {item.next_change}".rstrip()
    if item.failed:
        return f"{what}: {item.state}, {item.reason}"
    return f"{what}: {item.state}. {item.next_change or item.reason}".rstrip()


def duration(seconds: float) -> str:
    """A short form for people: 8 s, 3 min 20 s, 2 h 5 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _stamp_line(stamp: dict[str, object]) -> str:
    line = f"stamp of {stamp['bits']} bits: {_number(stamp, 'percent'):.0f} %"
    if stamp.get("expected_s") is None:
        return line
    line += f" at {_number(stamp, 'rate'):.0f} hashes/s"
    expected, bound = duration(_number(stamp, "expected_s")), duration(_number(stamp, "bound95_s"))
    return f"{line}, about {expected} to go (95 %: under {bound})"


def _number(stamp: dict[str, object], key: str) -> float:
    value = stamp.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def _look(watch: Watch) -> dict[str, Queued]:
    """The queue by txid; a node that is away for a moment is asked again."""
    since = watch.clock()
    while True:
        try:
            return {item.txid: item for item in watch.queue()}
        except NodeUnreachable as error:
            if watch.clock() - since >= PATIENCE:
                raise
            watch.display.show(error.code, "the node does not answer; waiting for it to come back")
            watch.pause(PAUSE)


def _done(watch: Watch, txid: str, items: dict[str, Queued], later: Sequence[str]) -> bool:
    item = items.get(txid)
    if item is None:  # a queue may drop what is settled, like the commit of a confirmed reveal
        if any(other in items for other in later) or watch.known((txid, *later)[-1]):
            return True
        raise RefusalError("forgotten", f"the node's queue no longer knows {txid}; queue it again", txid=txid)
    if item.working:
        return False
    if item.state == "confirmed":
        return True
    raise _lost(item)


def _lost(item: Queued) -> RefusalError:
    what = f"{item.kind} of {item.name}.mesh" if item.name else item.kind
    return RefusalError(
        item.state,
        f"the {what} will not be confirmed ({item.state}): {item.reason}",
        txid=item.txid,
        name=item.name,
        reason=item.reason,
        winner=item.winner,
    )


def _check_time(watch: Watch, started: float, item: Queued) -> None:
    if watch.timeout is not None and watch.clock() - started >= watch.timeout:
        raise NodeUnreachable(
            "wait-timeout",
            f"not confirmed within {watch.timeout:g} s; the node goes on by itself. {describe(item)}",
            txid=item.txid,
            state=item.state,
        )
