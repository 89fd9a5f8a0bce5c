"""Whether a server's chain is what a name's TLSA records say: the one implementation of DANE (RFC 6698, RFC 7671).

Theory of operation
-------------------
::

    records --unusable ones and outdone digests are dropped--> none left: "no-usable-records"
       |
    usage 3: the leaf, or a raw public key, alone. No issuer, no dates (RFC 7671 §5.1); the name where asked for
       |  none matches
    usage 2: anchors from the records, local roots ignored; path, dates and name count (RFC 7671 §5.2)
       |  no path
    usages 0 and 1: a path to a given root, and a record that means an authority in it (0) or the leaf (1)
       |  none
    the reason of the attempt that came nearest

So 3 is told before 2, a shallow anchor before a deep one, and 2 before 0 and 1. Whole certificates from the ledger
(usages 0 and 2, matching type 0) may also fill a gap in what the server sent. Digests only mean what the server sent.

Nothing here raises for what strangers send: chain, records and host are any bytes and any text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from meshchain.tls import names, tlsa
from meshchain.tls.certificates import Certificate, is_public_key, signed_by_key
from meshchain.tls.matching import means, means_raw_key
from meshchain.tls.path import Anchors, Flaw, Search
from meshchain.tls.tlsa import Tlsa, usable

__all__ = ["Reason", "Tlsa", "Verdict", "check_chain"]

Reason: TypeAlias = Literal[
    "ok", "no-usable-records", "no-match", "expired", "name-mismatch", "untrusted", "malformed"
]  # fmt: skip
MOST: Final = 16
"""Certificates of a chain that are looked at; servers send 1 to 4."""
_REASONS: Final[dict[Flaw, Reason]] = {
    Flaw.UNTRUSTED: "untrusted",
    Flaw.EXPIRED: "expired",
    Flaw.NAME: "name-mismatch",
    Flaw.NONE: "ok",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``matched``: the record that vouches, or that would but for ``reason``. ``depth``: of what it means, 0 is
    the leaf; with a bare key, of the certificate that the key signed."""

    ok: bool
    reason: Reason
    matched: Tlsa | None = None
    depth: int | None = None


def check_chain(
    chain: Sequence[bytes],
    tlsa: Sequence[Tlsa],
    *,
    host: str | None,
    now: datetime,
    trust_anchors: Sequence[bytes] = (),
    name_check: bool = True,
) -> Verdict:
    """Judge a chain of DER certificates, leaf first, or a raw public key (SubjectPublicKeyInfo) alone.

    ``trust_anchors``: PKIX roots for usages 0 and 1, which are unusable without. ``name_check``: also under usage 3,
    as browsers need it; for protocols where another's certificate does no harm (SMTP, XMPP) False leaves it out
    there. ``host`` None checks no name at all. ``now`` without a zone is UTC.
    """
    records = usable(tlsa, roots=bool(trust_anchors))
    if not records:
        return Verdict(False, "no-usable-records")
    leaf = Certificate.read(chain[0]) if chain else None
    if leaf is None:
        return _raw_key(chain, records)
    moment = now if now.tzinfo else now.replace(tzinfo=UTC)
    return _Case(leaf, _read(chain[1:MOST]), records, host, moment, _read(trust_anchors), name_check).verdict()


def _read(many: Sequence[bytes]) -> tuple[Certificate, ...]:
    """What can be read of them: a broken certificate in a chain helps nobody and harms nobody."""
    return tuple(read for der in many if (read := Certificate.read(der)) is not None)


def _raw_key(chain: Sequence[bytes], records: Sequence[Tlsa]) -> Verdict:
    """RFC 7671 §5.1: the key is all there is; it has no name to check."""
    if len(chain) != 1 or not is_public_key(chain[0]):
        return Verdict(False, "malformed")
    for record in records:
        if means_raw_key(record, chain[0]):
            return Verdict(True, "ok", record, 0)
    return Verdict(False, "no-match")


@dataclass(frozen=True, slots=True)
class _Case:
    leaf: Certificate
    others: tuple[Certificate, ...]
    """Sent by the server beside the leaf."""
    records: Sequence[Tlsa]
    host: str | None
    now: datetime
    roots: tuple[Certificate, ...]
    name_check: bool

    def verdict(self) -> Verdict:
        found = []
        for attempt in (self._by_leaf, self._by_anchor, self._by_roots):
            verdict = attempt()
            if verdict is not None and verdict.ok:
                return verdict
            found.append(verdict)
        return next((verdict for verdict in found if verdict is not None), Verdict(False, "no-match"))

    def _of(self, *usages: int) -> list[Tlsa]:
        return [record for record in self.records if record.usage in usages]

    def _by_leaf(self) -> Verdict | None:
        for record in self._of(tlsa.DANE_EE):
            if means(record, self.leaf):
                fits = self.host is None or not self.name_check or names.is_for(self.leaf, self.host)
                return Verdict(fits, "ok" if fits else "name-mismatch", record, 0)
        return None

    def _by_anchor(self) -> Verdict | None:
        records = self._of(tlsa.DANE_TA)
        bare = [record for record in records if _is_bare(record)]
        anchors = Anchors(lambda path: self._anchor(records, path) is not None, [record.data for record in bare])
        search = self._search(anchors, ())
        path = search.run(self.leaf) if records else None
        if path is None:
            return self._failed(search, records)
        vouching = self._anchor(records, path) or next(r for r in bare if signed_by_key(path[-1], r.data))
        return Verdict(True, "ok", vouching, len(path) - 1)

    def _by_roots(self) -> Verdict | None:
        records = self._of(tlsa.PKIX_TA, tlsa.PKIX_EE)
        trusted = {root.der for root in self.roots}
        search = self._search(Anchors(lambda p: p[-1].der in trusted and _pkix(records, p) is not None), self.roots)
        path = search.run(self.leaf) if records else None
        if path is not None:
            return Verdict(True, "ok", *(_pkix(records, path) or ()))
        met = _pkix(records, (self.leaf, *self.others))
        return None if met is None else Verdict(False, _REASONS[search.flaw], met[0], None)

    def _search(self, anchors: Anchors, roots: tuple[Certificate, ...]) -> Search:
        pool = {c.der: c for c in (*self.others, *self._added(), *roots)}
        return Search(list(pool.values()), anchors, self.host, self.now)

    def _added(self) -> tuple[Certificate, ...]:
        """Whole authorities that the records bring along."""
        whole = [r.data for r in self._of(tlsa.PKIX_TA, tlsa.DANE_TA)
                 if (r.selector, r.matching_type) == (tlsa.CERT, tlsa.FULL)]  # fmt: skip
        return _read(whole)

    def _anchor(self, records: Sequence[Tlsa], path: Sequence[Certificate]) -> Tlsa | None:
        """The record that makes the last one an anchor. A leaf is one only if it signed itself."""
        last = path[-1]
        if len(path) == 1 and not last.self_signed:
            return None
        sent = any(last.der == c.der for c in (self.leaf, *self.others))
        fit = (record for record in records if sent or record.matching_type == tlsa.FULL)
        return next((record for record in fit if means(record, last)), None)

    def _failed(self, search: Search, records: Sequence[Tlsa]) -> Verdict | None:
        """No path: the record that means something sent, if any, and what was wrong."""
        sent = (self.leaf, *self.others)
        met = next((r for c in sent[1:] for r in records if means(r, c)), None)
        if met is None and search.flaw is Flaw.UNTRUSTED:
            return None
        return Verdict(False, _REASONS[search.flaw], met, None)


def _is_bare(record: Tlsa) -> bool:
    return (record.usage, record.selector, record.matching_type) == (tlsa.DANE_TA, tlsa.SPKI, tlsa.FULL)


def _pkix(records: Sequence[Tlsa], path: Sequence[Certificate]) -> tuple[Tlsa, int] | None:
    """The record that means something in the path, and its depth: usage 1 the leaf, usage 0 an authority."""
    of_depth = ((r, depth) for depth, c in enumerate(path) for r in records
                if (r.usage == tlsa.PKIX_EE) == (depth == 0) and means(r, c))  # fmt: skip
    return next(of_depth, None)
