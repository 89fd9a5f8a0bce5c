"""A verdict for people: what each record says of a chain, and what to change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from meshchain.tls import tlsa
from meshchain.tls.certificates import Certificate
from meshchain.tls.verify import Reason, Tlsa, Verdict, check_chain

WHY: Final[dict[Reason, str]] = {
    "ok": "the ledger vouches for this server",
    "no-usable-records": "the name publishes no TLSA record that can be used",
    "no-match": "no TLSA record means a certificate or key that the server sends",
    "expired": "a certificate on the way to the published authority has expired or is not valid yet",
    "name-mismatch": "the certificate is for other names",
    "untrusted": "the certificates do not lead to what the TLSA record means",
    "malformed": "what the server sends is no certificate",
}
"""RFC 7671's outcomes in words."""
_CHANGE: Final[dict[Reason, str]] = {
    "no-usable-records": "publish {wanted} at {owner}",
    "no-match": "publish {wanted} at {owner} beside the others (or let the server use the key that is published)",
    "expired": "renew the expired certificate, or publish {wanted}, with which dates do not count",
    "name-mismatch": "give the server a certificate with subjectAltName DNS:{host}",
    "untrusted": "let the server also send the intermediate certificates, or publish {wanted}",
    "malformed": "give the server a certificate: `meshwallet tls {name}` makes one",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One record alone. ``says``: for people."""

    record: Tlsa
    ok: bool
    says: str


@dataclass(frozen=True, slots=True)
class Report:
    verdict: Verdict
    lines: tuple[Line, ...]
    changes: tuple[str, ...]


def report(chain: Sequence[bytes], records: Sequence[Tlsa], *, host: str, port: int, now: datetime) -> Report:
    """As a browser judges (names count), record by record, and all together."""
    verdict = check_chain(chain, records, host=host, now=now)
    lines = tuple(_line(chain, record, records, host, now) for record in dict.fromkeys(records))
    return Report(verdict, lines, tuple(_changes(chain, verdict, lines, host, port)))


def _line(chain: Sequence[bytes], record: Tlsa, records: Sequence[Tlsa], host: str, now: datetime) -> Line:
    problem = tlsa.problem(record, roots=False)
    if problem is not None:
        return Line(record, False, f"unusable: {problem}")
    known = [other for other in records if tlsa.problem(other, roots=False) is None]
    if tlsa.outdone(record, known):
        return Line(record, False, "not looked at: a stronger digest of the same usage and selector stands beside it")
    alone = check_chain(chain, [record], host=host, now=now)
    if not alone.ok:
        return Line(record, False, f"{alone.reason}: {WHY[alone.reason]}")
    return Line(record, True, "means the server's own certificate" if not alone.depth else f"means depth {alone.depth}")


def _changes(chain: Sequence[bytes], verdict: Verdict, lines: Sequence[Line], host: str, port: int) -> list[str]:
    name = host.removesuffix(".mesh").rpartition(".")[2]
    leaf = Certificate.read(chain[0]) if chain else None
    wanted = "a record 3 1 1" if leaf is None else f"`3 1 1 {sha256(leaf.spki).hexdigest()}`"
    words = {"wanted": wanted, "owner": f"_{port}._tcp.{host}", "host": host, "name": name}
    found = [_CHANGE[verdict.reason].format(**words)] if verdict.reason in _CHANGE else []
    return found + [f"take out {line.record}: {line.says}" for line in lines if line.says.startswith("unusable")]
