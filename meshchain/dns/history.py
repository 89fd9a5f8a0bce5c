"""What the zone said before: for a bounded number of versions, the names that said something else then.

A version is known by its serial. From each to the next a ``Change`` keeps the former entries of the names that changed
(a renewal changes nothing in DNS, so it is not kept). Which names these are, the undos of the blocks between the two
tips tell, on both sides of a fork. All versions have signatures of one week and key: another one changes every record's
signature, and the history begins anew. So it does where more has changed at once than is kept, and when the node
starts: with the version served last, if the ledger is still at its state.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from meshchain.dns.serial import ZoneVersion
from meshchain.ledger.chain.between import changed_names
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.entry import NameEntry, Record
from meshchain.ledger.errors import StoreError

MOST_VERSIONS: Final = 1024
"""A day and a half of blocks that change something; a secondary's zone expires after a day without news."""
MOST_NAMES: Final = 4096
"""In all changes together, under 2 kB each: 8 MB."""

Former: TypeAlias = Mapping[str, bytes | None]
"""Name → its encoded entry in an older version, None where it was not in the zone."""


@dataclass(frozen=True, slots=True)
class Change:
    """``serial``: of the version before it."""

    serial: int
    former: Former


@dataclass(frozen=True, slots=True)
class History:
    """Immutable. ``changes``: the oldest first, the last leads to the present version."""

    changes: tuple[Change, ...] = ()

    def follow(self, change: Change) -> "History":
        """With one more change, without the oldest that there is no room for."""
        kept, names = [change], len(change.former)
        for earlier in reversed(self.changes):
            names += len(earlier.former)
            if len(kept) == MOST_VERSIONS or names > MOST_NAMES:
                break
            kept.append(earlier)
        return History(tuple(reversed(kept)))

    def since(self, serial: int) -> Former | None:
        """What all names that have changed since that version said in it; None if it is not known."""
        former: dict[str, bytes | None] = {}
        for change in reversed(self.changes):
            former.update(change.former)
            if change.serial == serial:
                return former
        return None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One tip as DNS sees it."""

    view: ChainView
    version: ZoneVersion
    synced: bool
    progress: str
    """How far a node is that is not synced, for people."""
    history: History = History()

    @property
    def serial(self) -> int:
        return self.version.serial


def history_of(before: Snapshot, after: Snapshot) -> History:
    """The history that leads to ``after``, which is published after ``before``."""
    if after.version == before.version:
        return before.history
    of_its_root = before.version.root == before.view.tip.state_root  # not so where a node starts behind its last run
    signed = [(version.window, version.tag) for version in (before.version, after.version)]
    if signed[0] != signed[1] or not of_its_root:
        return History()
    former = _former(before.view, after.view)
    return History() if former is None else before.history.follow(Change(before.serial, former))


def _former(older: ChainView, newer: ChainView) -> Former | None:
    try:
        names = changed_names(older, newer, MOST_NAMES)
        return None if names is None else former_entries(older, newer, names)
    except StoreError:  # the older tip is of a database that has been closed since
        return None


def former_entries(older: ChainView, newer: ChainView, names: set[str]) -> Former:
    """Of those ``names`` that say something else now."""
    former: dict[str, bytes | None] = {}
    for name in names:
        entry = older.entry(name)
        said = _said(entry)
        if said != _said(newer.entry(name)):
            former[name] = None if entry is None or said is None else entry.encode()
    return former


def _said(entry: NameEntry | None) -> tuple[Record, bytes | None] | None:
    """All that DNS reads."""
    return None if entry is None or entry.revoked else (entry.record, entry.address)
