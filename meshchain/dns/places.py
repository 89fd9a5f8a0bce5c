"""The whole zone, one place after the other, with the true NSEC chain: what transfers carry.

What the online answers deny with records made for the question, a transferred zone denies with the chain of what there
is. Names go in canonical order: the ledger's order of names, and under each its own. Below a cut only the addresses of
its servers are given, unsigned; empty non-terminals and names without records have no NSEC (RFC 4035 §2.3).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from meshchain.dns import denial
from meshchain.dns.lookup import Part, Zone
from meshchain.dns.names import Name, decode, order
from meshchain.dns.records import AT_A_CUT, GLUE, NameZone, Sets
from meshchain.dns.trees import MESH, MeshTree
from meshchain.dns.types import DNAME, NS, RRset


@dataclass(frozen=True, slots=True)
class Place:
    """A name of the zone. ``proven``: it is on the chain; if not, it is glue."""

    owner: Name
    sets: Sets
    proven: bool


def whole(zone: Zone) -> Iterator[Part]:
    """All sets of the zone, read as they are asked for."""
    waiting: list[Place] = []
    for place in _places(zone):
        if place.proven:
            yield from linked(waiting, place.owner, zone)
            waiting = []
        waiting.append(place)
    yield from linked(waiting, zone.name, zone)


def linked(places: Sequence[Place], end: Name, zone: Zone) -> Iterator[Part]:
    """The sets of some places in order; ``end``: the owner after the last of them on the chain."""
    following = end
    for place in reversed(places):
        if place.proven:
            yield from _proven(place, following, zone)
            following = place.owner
        else:
            yield from (Part(rrset, None, zone.name) for rrset in _rrsets(place))


def first_owner(places: Iterable[Place]) -> Name | None:
    """On the chain."""
    return next((place.owner for place in places if place.proven), None)


def nsec(place: Place, following: Name, zone: Zone) -> Part:
    return Part(denial.nsec(place.owner, following, place.sets, zone.tree.negative_ttl), place.owner, zone.name)


def _proven(place: Place, following: Name, zone: Zone) -> Iterator[Part]:
    is_cut = NS in place.sets and place.owner != zone.name
    for rrset in _rrsets(place):
        yield Part(rrset, None if is_cut and rrset.type == NS else place.owner, zone.name)
    yield nsec(place, following, zone)


def _rrsets(place: Place) -> Iterator[RRset]:
    return (RRset(place.owner, kind, *place.sets[kind]) for kind in place.sets)


def _places(zone: Zone) -> Iterator[Place]:
    """In canonical order."""
    yield apex(zone)
    tree = zone.tree
    if isinstance(tree, MeshTree):
        for name, entry in tree.view.names():
            if not entry.revoked:
                yield from places_of(name, tree.read(name, entry))


def apex(zone: Zone) -> Place:
    return Place(zone.name, zone.apex, proven=True)


def places_of(name: str, read: NameZone) -> Iterator[Place]:
    """Of a name of the ledger."""
    cuts = [at for at, sets in read.nodes.items() if NS in sets]
    aliases = [at for at, sets in read.nodes.items() if DNAME in sets]
    servers = _servers(read, cuts)
    for at in sorted(read.nodes, key=order):
        sets, owner = read.nodes[at], (*at, name.encode(), *MESH)
        if _below(at, aliases):
            continue
        if _below(at, cuts) or at in cuts:
            if at in cuts and not _below(at, cuts):
                yield Place(owner, {k: v for k, v in sets.items() if k in AT_A_CUT}, proven=True)
            glue = {kind: sets[kind] for kind in GLUE if kind in sets} if owner in servers else {}
            if glue:
                yield Place(owner, glue, proven=False)
        elif sets:
            yield Place(owner, sets, proven=True)


def _servers(read: NameZone, cuts: Iterable[Name]) -> set[Name]:
    return {decode(rdata, 0)[0] for cut in cuts for rdata in read.nodes[cut][NS][1]}


def _below(at: Name, tops: Iterable[Name]) -> bool:
    return any(len(top) < len(at) and at[len(at) - len(top) :] == top for top in tops)
