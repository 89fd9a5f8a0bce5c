"""The server against a slow model: a flat list of records, searched anew for every question, as RFC 1034 §4.3.2 has it.

Records are chosen so that they meet: few labels, wildcards, aliases, cuts. With DO, every absence is checked against
what there is: no record of the zone may lie in a gap that an answer claims.
"""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rdtypes.ANY.NSEC
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshchain.dns.lookup import Zone, lookup, zone_for
from meshchain.dns.names import Name, from_text, order
from meshchain.dns.records import NameZone, Sets, name_zone
from meshchain.dns.trees import MESH, MeshTree, apex_sets
from meshchain.dns.types import CNAME, DNAME, NS, NSEC, Rcode
from tests.dns.lab import Line, lines, settle
from tests.rpc.ledger_node import LedgerNode

LABELS = ["", "a", "b", "a.b", "b.a", "*", "*.a", "a.*", "*.b.a", "a.a.a"]
TEXTS = {
    "A": ["192.0.2.1", "192.0.2.2"],
    "TXT": ['"x"'],
    "CNAME": ["a.alice.mesh.", "b.a.alice.mesh.", "x.b.alice.mesh.", "alice.mesh.", "out.example."],
    "DNAME": ["a.alice.mesh.", "b.alice.mesh."],
    "NS": ["ns.example.", "a.a.alice.mesh."],
}
RECORDS = st.lists(
    st.sampled_from(sorted(TEXTS)).flatmap(
        lambda kind: st.tuples(st.sampled_from(LABELS), st.just(kind), st.just(60), st.sampled_from(TEXTS[kind]))
    ),
    max_size=7,
)
ASKED = st.lists(st.sampled_from(["a", "b", "c"]), max_size=4).map(lambda labels: ".".join([*labels, "alice.mesh"]))
KINDS = st.sampled_from([1, 16, 5, 2, 43])


class OneName(MeshTree):
    """``mesh.`` with alice alone, whose records a test chose."""

    def __init__(self, node: LedgerNode, zone: NameZone) -> None:
        super().__init__(node.view())
        self._zone = zone

    def zone_of(self, label: bytes) -> NameZone | None:
        return self._zone if label == b"alice" else None


def _ledger() -> LedgerNode:
    node = LedgerNode(Path(_FOLDER.name))
    settle(node, ())
    return node


_FOLDER = TemporaryDirectory()
NODE = _ledger()


def zone_of(records: list[Line]) -> tuple[Zone, dict[Name, Sets]]:
    entry = NODE.view().entry("alice")
    assert entry is not None
    made = name_zone("alice", replace(entry, record={"dns": lines(*records)}), 60)
    tree = OneName(NODE, made)
    flat = {(*label, b"alice", *MESH): sets for label, sets in made.nodes.items() if sets}
    return Zone(tree, apex_sets(tree, 1)), flat


class Model:
    """``flat``: owner → sets, of names that have any."""

    def __init__(self, flat: dict[Name, Sets]) -> None:
        self.flat = {**flat, MESH: {6: (1, (b"",)), 2: (1, (b"",))}}
        self.names = {(b"alice", *MESH), *self.flat}

    def exists(self, name: Name) -> bool:
        return any(other[-len(name) :] == name for other in self.names)

    def answer(self, name: Name, kind: int) -> tuple[str, list[tuple[Name, int]]]:
        """(outcome, owners and types of the answer); aliases are followed 8 times."""
        found: list[tuple[Name, int]] = []
        seen: list[Name] = []
        while name not in seen and len(seen) <= 8:
            seen.append(name)
            outcome, puts, target = self.step(name, kind)
            found += puts
            if target is None:
                return outcome, found
            if target[-1:] != MESH:
                return "NOERROR", found
            name = target
        return "NOERROR", found

    def step(self, name: Name, kind: int) -> tuple[str, list[tuple[Name, int]], Name | None]:
        ancestors = [name[at:] for at in range(len(name) - 2, -1, -1)]  # from alice.mesh down to the name
        for at in ancestors:
            sets = self.flat.get(at, {})
            if 2 in sets and not (at == name and kind == 43):
                return "REFERRAL", [], None
            if 39 in sets and at != name:
                target = (*name[: len(name) - len(at)], *self.target(sets[39]))
                return "NOERROR", [(at, 39), (name, 5)], None if kind == 5 else target
            if not self.exists(at):
                return self.wild(name, (b"*", *at[1:]), kind)
        return self.data(name, self.flat.get(name, {}), kind)

    def wild(self, name: Name, wild: Name, kind: int) -> tuple[str, list[tuple[Name, int]], Name | None]:
        sets = self.flat.get(wild, {})
        if not self.exists(wild):
            return "NXDOMAIN", [], None
        return self.data(name, sets, kind)

    def data(self, name: Name, sets: Sets, kind: int) -> tuple[str, list[tuple[Name, int]], Name | None]:
        if kind in sets:
            return "NOERROR", [(name, kind)], None
        if 5 in sets:
            return "NOERROR", [(name, 5)], self.target(sets[5])
        return "NODATA", [], None

    def target(self, given: tuple[int, tuple[bytes, ...]]) -> Name:
        text = dns.rdata.from_wire("IN", "CNAME", given[1][0], 0, len(given[1][0])).to_text()
        return from_text(text)


@settings(max_examples=300)
@given(RECORDS, ASKED, KINDS)
@example([("a", "CNAME", 60, "a.alice.mesh."), ("a", "CNAME", 60, "b.a.alice.mesh.")], "a.alice.mesh", 1)
@example([("", "A", 60, "192.0.2.1"), ("", "NS", 60, "ns.example.")], "alice.mesh", 43)
def test_as_the_model_says(records: list[Line], asked: str, kind: int) -> None:
    zone, flat = zone_of(records)
    name, model = from_text(asked), Model(flat)
    outcome, expected = model.answer(name, kind)
    found = lookup(lambda at: zone_for([zone], at), name, kind, prove=True)
    assert found is not None
    assert [(part.rrset.owner, part.rrset.type) for part in found.answer] == expected
    assert (found.rcode is Rcode.NXDOMAIN) == (outcome == "NXDOMAIN")
    absent = any(part.rrset.type == 6 for part in found.authority)
    assert absent == (outcome in ("NXDOMAIN", "NODATA"))
    referred = any(part.rrset.type == NS for part in found.authority)
    assert referred == (outcome == "REFERRAL")
    for part in found.authority:
        if part.rrset.type == NSEC:
            no_lie(model, part.rrset.owner, part.rrset.rdatas[0])


def no_lie(model: Model, owner: Name, rdata: bytes) -> None:
    """Nothing that exists lies strictly within the gap, and the types at its owner are all there."""
    nsec = dns.rdata.from_wire("IN", "NSEC", rdata, 0, len(rdata))
    assert isinstance(nsec, dns.rdtypes.ANY.NSEC.NSEC)
    following = tuple(label for label in nsec.next.labels if label)
    sets = model.flat.get(owner, {})
    said = {
        window * 256 + byte * 8 + bit
        for window, bits in nsec.windows
        for byte, value in enumerate(bits)
        for bit in range(8)
        if value & (0x80 >> bit)
    } - {46, 47}
    is_cut = NS in sets and owner != MESH
    assert said == ({kind for kind in sets if kind in (2, 43)} if is_cut else set(sets))
    for there in model.names:
        occluded = any({NS, DNAME} & set(model.flat.get(there[at:], {})) for at in range(1, len(there) - 1))
        inside = order(owner) < order(there) and (following == MESH or order(there) < order(following))
        assert not inside or occluded, f"{there} lies between {owner} and {following}"


@settings(max_examples=60)
@given(RECORDS)
def test_no_contradictions_are_served(records: list[Line]) -> None:
    _, flat = zone_of(records)
    for sets in flat.values():
        assert CNAME not in sets or set(sets) == {CNAME}
        assert DNAME not in sets or len(sets[DNAME][1]) == 1
    for earlier, later in pairwise(sorted(flat, key=order)):
        assert dns.name.Name((*earlier, b"")) < dns.name.Name((*later, b""))
