"""From signed reports to a path: which hops stand beside each other by the word of both, and where one is missing.

Two reports are *adjacent* if all of this holds: their positions (from the hop limit) follow each other; the first
names the second's key as the neighbour it sends to, and the second names the first's as the neighbour it has it from;
the second was made over the hash of the first. A hop that keeps silent, alters a report, drops those of others, names
a neighbour that is none of its own, or puts another in its place breaks one of these at its honest neighbours, and the
path shows a gap there with the keys that both sides name. What cannot be seen: two that are in league and adjacent may
say of what lies between them what they like.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from meshrouter.trace.report import Report

NO_REPORT: Final = "no-report"
REPORT_LOST: Final = "report-lost"
NAMES_DIFFER: Final = "names-differ"
CHAIN_BROKEN: Final = "chain-broken"
UNREACHED: Final = "unreached"

MEANINGS: Final = {
    NO_REPORT: "passed the probe on and did not report",
    REPORT_LOST: "the reports from here did not arrive, or were forged",
    NAMES_DIFFER: "the hops before and after do not name each other: one is hidden, or one is invented",
    CHAIN_BROKEN: "the hop after was shown another report of the hop before: one of them was altered",
    UNREACHED: "nothing was heard from beyond",
}


@dataclass(frozen=True, slots=True)
class Hop:
    """A report whose signature holds."""

    report: Report
    position: int
    """0 is the node that made the probe."""
    after: float
    """Seconds from the probe's leaving to the report's arrival; it includes the report's way."""
    digest: bytes = field(init=False)
    """The report's hash: computed once, since a path compares it with many."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", self.report.digest)


@dataclass(frozen=True, slots=True)
class Gap:
    reason: str
    """A key of MEANINGS."""
    position: int
    """Of the first hop that is missing, or of the hop after if none is."""
    missing: int
    """Hops that the probe passed unreported; 0 if the hop limit shows none."""
    suspects: tuple[bytes, ...]
    """Keys that the neighbours of the gap name in it."""


@dataclass(frozen=True, slots=True)
class Path:
    steps: tuple[Hop | Gap, ...]
    reached: bool
    """Its end has reported."""

    @property
    def whole(self) -> bool:
        """Every hop reported, and each is attested by those beside it."""
        return self.reached and not any(isinstance(step, Gap) for step in self.steps)


def assemble(start: Hop | None, reports: Sequence[Hop]) -> Path:
    """``start``: the report of the node that made the probe, if it is there; ``reports``: of one direction."""
    steps: list[Hop | Gap] = [] if start is None else [start]
    current = start
    while following := _following(current, reports):
        steps += [step for step in (_gap(current, following), following) if step is not None]
        if following.report.ends:
            return Path(tuple(steps), reached=True)
        current = following
    return Path((*steps, Gap(UNREACHED, _beyond(current), 0, _suspects(current, None))), reached=False)


def follows(before: Hop, after: Hop) -> bool:
    """Whether they are adjacent."""
    return _gap(before, after) is None


def _beyond(hop: Hop | None) -> int:
    return 0 if hop is None else hop.position + 1


def _following(current: Hop | None, reports: Sequence[Hop]) -> Hop | None:
    """The adjacent one; else the nearest, one that chains on ``current`` first."""
    beyond = [hop for hop in reports if hop.position >= _beyond(current)]
    return min(beyond, key=lambda hop: _rank(current, hop), default=None)


def _rank(current: Hop | None, hop: Hop) -> tuple[bool, int, bool]:
    return _gap(current, hop) is not None, hop.position, current is None or not _chains(current, hop)


def _gap(before: Hop | None, after: Hop) -> Gap | None:
    """What is wrong between two that are shown one after the other; None if they are adjacent."""
    suspects = _suspects(before, after)
    position = _beyond(before)
    if before is None:
        return Gap(REPORT_LOST, 0, after.position, suspects)
    missing = after.position - position
    if missing:
        return Gap(NO_REPORT if _chains(before, after) else REPORT_LOST, position, missing, suspects)
    if not _name_each_other(before.report, after.report):
        return Gap(NAMES_DIFFER, position, 0, suspects)
    return None if _chains(before, after) else Gap(CHAIN_BROKEN, position, 0, suspects)


def _chains(before: Hop, after: Hop) -> bool:
    return after.report.previous == before.digest


def _name_each_other(before: Report, after: Report) -> bool:
    if before.egress is None or after.ingress is None:
        return False
    return before.egress.key == after.key and after.ingress.key == before.key


def _suspects(before: Hop | None, after: Hop | None) -> tuple[bytes, ...]:
    sides = (
        None if before is None else before.report.egress,
        None if after is None else after.report.ingress,
    )
    shown = [hop.report.key for hop in (before, after) if hop is not None]
    return tuple(dict.fromkeys(side.key for side in sides if side is not None and side.key not in shown))
