"""What DNS answers, without its packets: for programs that ask by RPC, and for ``meshctl resolve``."""

import ipaddress
from collections.abc import Iterable
from typing import Final

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from meshchain.dns import names
from meshchain.dns.lookup import Part, Zone, lookup, zone_for
from meshchain.dns.names import BadNameError, Name
from meshchain.dns.trees import MESH, DerivedNames, MeshTree, ReverseTree, apex_sets
from meshchain.dns.types import PTR
from meshchain.ledger.chain.view import ChainView
from meshchain.rpc import errors
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import shapes
from meshchain.rpc.registry import Area, Call, Example, Param

AREA: Final = Area("dns")

_RECORDS: Final = shapes.listing(
    shapes.table({"name": shapes.TEXT, "type": shapes.TEXT, "ttl": shapes.INTEGER, "data": shapes.TEXT})
)


@AREA.method(
    "dns_resolve",
    params=(
        Param("name", {"type": "string", "maxLength": 255}, "A name, with or without .mesh, or a mesh address"),
        Param("type", {"type": "string", "maxLength": 16}, "The type of record; of an address PTR is meant", "AAAA"),
    ),
    result=shapes.table(
        {
            "name": shapes.TEXT,
            "type": shapes.TEXT,
            "status": {**shapes.TEXT, "description": "NOERROR or NXDOMAIN, as DNS has it"},
            "delegated": {**shapes.BOOLEAN, "description": "Other servers answer for it; authority names them"},
            "answer": _RECORDS,
            "authority": _RECORDS,
            "warnings": shapes.listing(shapes.TEXT),
        }
    ),
    synced=True,
    scan=True,
    fails=(errors.BAD_VALUE,),
    examples=(
        Example(
            "alice's greeting",
            ["alice", "TXT"],
            {
                "name": "alice.mesh.", "type": "TXT", "status": "NOERROR", "delegated": False,
                "answer": [{"name": "alice.mesh.", "type": "TXT", "ttl": 300, "data": '"hello"'}],
                "authority": [], "warnings": [],
            },
        ),
    ),
)  # fmt: skip
def dns_resolve(call: Call, name: str, type: str) -> Json:  # noqa: A002 - the parameter's name on the wire
    """The records of a name as this node's DNS server gives them, aliases followed."""
    asked, kind = _question(name, type)
    zones = [Zone(tree, apex_sets(tree, 0)) for tree in _trees(call.view)]
    found = lookup(lambda at: zone_for(zones, at), asked, kind, prove=False)
    if found is None:
        raise errors.bad_value("not-mesh", f"{names.to_text(asked)} is neither in .mesh nor an address in eeee::/16")
    return {
        "name": names.to_text(asked),
        "type": dns.rdatatype.to_text(dns.rdatatype.RdataType.make(kind)),
        "status": found.rcode.name,
        "delegated": not found.authoritative,
        "answer": list(_records(found.answer)),
        "authority": list(_records(found.authority)),
        "warnings": _warnings(call.view, asked),
    }


def _trees(view: ChainView) -> tuple[MeshTree, ReverseTree]:
    return MeshTree(view), ReverseTree(view, DerivedNames())


def _question(name: str, kind: str) -> tuple[Name, int]:
    try:
        if ":" in name:
            return names.from_text(ipaddress.IPv6Address(name).reverse_pointer), PTR
        asked = names.from_text(name)
        whole = asked if asked[-1:] in (MESH, (b"arpa",)) else (*asked, *MESH)
        return whole, int(dns.rdatatype.from_text(kind))
    except (BadNameError, ValueError) as error:
        raise errors.bad_value("bad-name", str(error)) from None
    except dns.exception.DNSException:
        raise errors.bad_value("dns-type", f"{kind!r} is no type of records") from None


def _records(parts: Iterable[Part]) -> Iterable[Json]:
    for part in parts:
        kind = dns.rdatatype.RdataType.make(part.rrset.type)
        for rdata in part.rrset.rdatas:
            shown = dns.rdata.from_wire(dns.rdataclass.IN, kind, rdata, 0, len(rdata))
            owner = names.to_text(part.rrset.owner)
            yield {"name": owner, "type": dns.rdatatype.to_text(kind), "ttl": part.rrset.ttl, "data": shown.to_text()}


def _warnings(view: ChainView, asked: Name) -> list[Json]:
    """Of a name in grace: it still resolves, for a while."""
    label = asked[-2].decode("ascii", "replace") if len(asked) > 1 and asked[-1:] == MESH else ""
    entry = view.entry(label) if label else None
    if entry is None or entry.revoked or entry.active(view.height):
        return []
    lost = entry.expires + view.params.consensus.grace
    return [f"{label}.mesh expired at height {entry.expires}; unless it is renewed, it is deleted at height {lost}"]
