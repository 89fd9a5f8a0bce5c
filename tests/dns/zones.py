"""Versions of ``mesh.`` with names that a test chose, and what transfers of them carry."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import dns.message
import dns.rdatatype
import dns.rrset

from meshchain import crypto
from meshchain.dns import transfer
from meshchain.dns.history import Change, History, Snapshot, former_entries
from meshchain.dns.lookup import Zone
from meshchain.dns.query import parse
from meshchain.dns.serial import ZoneVersion
from meshchain.dns.signing import Signer, load_or_create
from meshchain.dns.transfer import Edition
from meshchain.dns.trees import APEX_TTL, MeshTree, apex_sets
from meshchain.dns.types import DNSKEY
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.entry import NameEntry, Record
from meshchain.ledger.store import layout
from tests.dns.lab import NOW, Line, lines
from tests.rpc.ledger_node import LedgerNode

KEY = crypto.ed25519_public_key(bytes(range(32)))
Rr = tuple[str, int, int, bytes]
"""Owner, type, TTL, data."""


def entry(*listed: Line, host: bool = False, revoked: bool = False, expires: int = 900) -> NameEntry:
    """An entry with these dns records, and perhaps a host of its own."""
    hosts: Record = {"hosts": [{"label": "", "key": KEY}]} if host else {}
    return NameEntry(
        owner=bytes(33), reg=bytes(16), record={**hosts, "dns": lines(*listed)}, address=None, seq=0, registered=1,
        expires=expires, revoked=revoked,
    )  # fmt: skip


@dataclass
class Versions:
    """A zone whose serial counts its changes from 1; entries are written past the chain."""

    folder: Path
    editions: list[Edition] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.node = LedgerNode(self.folder)
        self.now = NOW
        self.signer = Signer(load_or_create(self.folder), lambda: self.now)
        self.store = self.node.chain.store.copy()  # type: ignore[attr-defined]  # a MemoryStore
        self.put({})

    def put(self, changes: Mapping[str, NameEntry | None]) -> None:
        rows = {layout.ENTRY + name.encode(): said and said.encode() for name, said in changes.items()}
        self.store.write(rows)
        view = ChainView(self.store.snapshot(), self.node.params, self.node.chain.genesis_id, frozenset())
        history = History()
        if self.editions:
            before = self.editions[-1].snapshot
            former = former_entries(before.view, view, {*changes})
            history = before.history.follow(Change(before.serial, former))
        serial = len(self.editions) + 1
        version = ZoneVersion(serial, self.signer.window, serial.to_bytes(32, "big"), self.signer.key.tag)
        tree = MeshTree(view)
        apex = {**apex_sets(tree, serial), DNSKEY: (APEX_TTL, (self.signer.key.dnskey,))}
        snapshot = Snapshot(view, version, True, "", history)
        found = transfer.edition_of(Zone(tree, apex), snapshot, self.signer)
        assert found is not None
        self.editions.append(found)

    def answer(self, serial: int | None, *, at: int = -1) -> list[Rr]:
        """Records of an AXFR, or of an IXFR since ``serial``, in order."""
        packet = ixfr(serial) if serial is not None else dns.message.make_query("mesh", "AXFR")
        query = parse(packet.to_wire())
        found: list[Rr] = []
        for message in transfer.messages(query, self.editions[at]):
            assert len(message) < 65536
            read = dns.message.from_wire(packet.id.to_bytes(2, "big") + message, one_rr_per_rrset=True)
            assert packet.is_response(read)
            found += map(record, read.answer)
        return found

    def zone(self, at: int = -1) -> set[Rr]:
        """All records, by AXFR."""
        first, *others, last = self.answer(None, at=at)
        assert first == last
        found = {first, *others}
        assert len(found) == len(others) + 1, "none twice"
        return found


def ixfr(serial: int) -> dns.message.QueryMessage:
    query = dns.message.make_query("mesh", "IXFR")
    query.authority.append(dns.rrset.from_text("mesh.", 0, "IN", "SOA", f". . {serial} 0 0 0 0"))
    return query


def record(rrset: dns.rrset.RRset) -> Rr:
    return rrset.name.to_text(), rrset.rdtype, rrset.ttl, rrset[0].to_wire()


def serial_of(soa: Rr) -> int:
    assert soa[1] == dns.rdatatype.SOA
    return int.from_bytes(soa[3][-20:-16], "big")


def is_difference(answer: Sequence[Rr]) -> bool:
    """One that is neither one SOA nor a whole zone."""
    return len(answer) > 1 and answer[1][1] == dns.rdatatype.SOA


def applied(zone: Iterable[Rr], answer: Sequence[Rr]) -> set[Rr]:
    """As a strict secondary does it (RFC 1995 §4): what goes was there, what comes was not."""
    result = set(zone)
    soa, *rest = answer
    assert rest.pop() == soa
    removing = False
    for at, rr in enumerate(rest):
        if rr[1] == dns.rdatatype.SOA:
            removing = not removing
            assert at or rr in result, "it begins at the version that the client has"
        if removing:
            result.remove(rr)
        else:
            assert rr not in result, rr
            result.add(rr)
    assert not removing
    assert soa in result
    return result


def plain(entry_: NameEntry, **changes: object) -> NameEntry:
    return replace(entry_, **changes)  # type: ignore[arg-type]  # fields of NameEntry
