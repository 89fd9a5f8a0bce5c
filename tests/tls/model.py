"""What a chain is worth, said of the descriptions it was made from: slow, obvious, without looking into any DER.

Chains are leaf ← inter ← root, of which the server leaves out what it likes; any of them may be expired. Every order
of rules is spelled out, and every record is compared by what it was made to mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from meshchain.tls.tlsa import Tlsa
from tests.tls.kit import Cert, record

LINE = ("leaf", "inter", "root")


@dataclass(frozen=True)
class Server:
    line: tuple[Cert, Cert, Cert]
    """leaf, inter, root, as they are, sent or not."""
    sends: tuple[bool, bool]
    """Whether inter and root are sent."""
    expired: tuple[bool, bool, bool]
    named: bool

    @property
    def chain(self) -> list[Cert]:
        inter, root = self.sends
        return [self.line[0], *([self.line[1]] if inter else []), *([self.line[2]] if root else [])]

    def sent(self, depth: int) -> bool:
        return depth == 0 or self.sends[depth - 1]


@dataclass(frozen=True)
class Meaning:
    """A record that was made to mean the certificate at ``depth`` of the line; None: somebody else's."""

    usage: int
    selector: int
    kind: int
    depth: int | None

    def record(self, server: Server, other: Cert) -> Tlsa:
        return record(self.usage, self.selector, self.kind, other if self.depth is None else server.line[self.depth])


def verdict(server: Server, meanings: Sequence[Meaning], *, name_check: bool) -> str:
    """``reason`` without PKIX roots."""
    live = [m for m in meanings if m.usage in (2, 3) and not _outdone(m, meanings)]
    if not live:
        return "no-usable-records"
    reasons = []
    if any(m.usage == 3 and m.depth == 0 for m in live):
        reasons.append("ok" if server.named or not name_check else "name-mismatch")
    reasons.append(_anchored(server, [m for m in live if m.usage == 2]))
    return "ok" if "ok" in reasons else reasons[0]


def _outdone(meaning: Meaning, meanings: Sequence[Meaning]) -> bool:
    same = [m for m in meanings if (m.usage, m.selector) == (meaning.usage, meaning.selector)]
    return meaning.kind == 1 and any(m.kind == 2 for m in same)


def _anchored(server: Server, live: Sequence[Meaning]) -> str:
    """A path ends at depth 1 or 2 of the line; all below must be at hand, and all in it must be good."""
    tries = [_path(server, depth) for depth in (1, 2) if any(_ends(server, m, depth, live) for m in live)]
    tries += [_path(server, m.depth - 1) for m in live if _bare(m) and m.depth and _reaches(server, live, m.depth - 1)]
    for best in ("ok", "name-mismatch", "expired"):
        if best in tries:
            return best
    return "untrusted" if any(m.depth and server.sent(m.depth) for m in live) else "no-match"


def _bare(m: Meaning) -> bool:
    return (m.selector, m.kind) == (1, 0)


def _at_hand(server: Server, live: Sequence[Meaning], depth: int) -> bool:
    whole = any((m.selector, m.kind, m.depth) == (0, 0, depth) for m in live)
    return server.sent(depth) or whole


def _reaches(server: Server, live: Sequence[Meaning], depth: int) -> bool:
    return all(_at_hand(server, live, at) for at in range(depth + 1))


def _ends(server: Server, m: Meaning, depth: int, live: Sequence[Meaning]) -> bool:
    return m.depth == depth and (server.sent(depth) or m.kind == 0) and _reaches(server, live, depth)


def _path(server: Server, depth: int) -> str:
    if any(server.expired[: depth + 1]):
        return "expired"
    return "ok" if server.named else "name-mismatch"
