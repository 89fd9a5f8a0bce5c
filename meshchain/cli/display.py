"""Plain text for people: aligned columns, and spans of blocks as approximate dates."""

import time
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from meshchain.ledger.params import Params


DAY: Final = 86400
_MAX_DATE: Final = 253_402_300_799
"""9999-12-31, the end of what four digits can date."""


def table(head: Sequence[str], rows: Iterable[Sequence[object]], right: Collection[int] = ()) -> str:
    """Columns as wide as their widest cell, two spaces between; those in ``right`` are aligned there."""
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join(_line(row, widths, right) for row in cells)


def _line(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    pairs = enumerate(zip(row, widths, strict=True))
    return "  ".join(cell.rjust(w) if i in right else cell.ljust(w) for i, (cell, w) in pairs).rstrip()


def fields(pairs: Iterable[tuple[str, object]], indent: str = "") -> str:
    """``label  value`` a line; pairs whose value is None are left out, lines of a long value are aligned."""
    shown = [(label, str(value)) for label, value in pairs if value is not None]
    width = max((len(label) for label, _ in shown), default=0)
    pad = "\n" + indent + " " * (width + 2)
    return "\n".join(f"{indent}{label.ljust(width)}  {value.replace(chr(10), pad)}".rstrip() for label, value in shown)


def span(seconds: float) -> str:
    """``90`` → ``90 s``; then minutes, hours, days: the two greatest units at most."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 2 * 3600:
        return f"{whole // 60} min"
    if whole < 2 * DAY:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // DAY} days"


def date(unix_time: float) -> str:
    """The day, in UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(min(max(0, unix_time), _MAX_DATE)))


def moment(unix_time: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(min(max(0, unix_time), _MAX_DATE)))


def deadline(blocks: int, params: "Params") -> str:
    """``in 262790 blocks, about 2027-11-22``; no date where blocks come only on demand."""
    words = f"in {blocks} blocks" if blocks > 0 else f"{-blocks} blocks ago"
    if params.policy.mine_when_pending:
        return words
    return f"{words}, about {date(time.time() + blocks * params.consensus.spacing)}"


def short(digest: str | None) -> str:
    """The first 16 hexadecimal digits of a hash or key."""
    return "-" if digest is None else digest if len(digest) <= 17 else f"{digest[:16]}…"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
