"""Somebody behind one neighbour in the mesh has any number of addresses that answer, and wants all our connections."""

from random import Random

from meshchain.p2p.actions import Dial, Endpoint
from meshchain.p2p.addresses import AddressBook
from meshchain.p2p.addresses.places import FULL
from meshchain.p2p.slots import Held, Slots
from tests.p2p.addresses.crowd import NOW, book, in_mesh, key_of, position_of

EVIL_HOP = 66
EVIL_NODES = 20_000
HOPS = range(30)


def surrounded(seed: int) -> tuple[AddressBook, set[Endpoint]]:
    """A book with two honest nodes behind each of 30 hops and all that the attacker could get into it."""
    known = book(seed, position_of)
    honest = [in_mesh(hop, n) for hop in HOPS for n in range(2)]
    for endpoint in honest:
        known.add(endpoint, position_of(in_mesh((endpoint.ip[2] + 1) % 30, 0).ip), NOW, NOW)
        if endpoint.ip[-1]:
            known.answered(endpoint, NOW - 7200, key_of(endpoint))
    source = position_of(in_mesh(EVIL_HOP, 0).ip)
    for n in range(EVIL_NODES):
        evil = in_mesh(EVIL_HOP, n)
        known.add(evil, source, NOW, NOW)
        known.answered(evil, NOW, key_of(evil))
        known.add(in_mesh(100 + n % 150, n), source, NOW, NOW)  # addresses that lead nowhere, to fill the table
    return known, set(honest)


def test_an_eclipse_from_one_mesh_position() -> None:
    known, honest = surrounded(1)
    evil = [(one, tried) for one, tried in known.all() if one.endpoint.ip[2] == EVIL_HOP]
    in_tried = sum(tried for _, tried in evil)
    kept = sum(endpoint in known for endpoint in honest)
    slots = Slots(known, Random(2), own_key=bytes(32), position=position_of)
    hops: list[int] = []
    for peer in range(1, 200):
        now = peer * 10.0
        for action in slots.decide(now, NOW + now):
            assert isinstance(action, Dial)
            dialled = action.endpoint
            if action.purpose == "feeler" or (dialled not in honest and dialled.ip[2] != EVIL_HOP):
                slots.dial_failed(dialled, now)
                continue
            number = 10 * peer + len(hops)
            held = Held(
                peer=number,
                key=key_of(dialled),
                endpoint=dialled,
                group=position_of(dialled.ip),
                inbound=False,
                purpose=action.purpose,
                opened=now,
            )
            assert slots.opened(held, now) == []
            slots.ready(number, now, NOW + now, block_only=action.purpose == "block-only")
            hops.append(dialled.ip[2])
    print(
        f"eclipse: {EVIL_NODES} nodes that answer hold {in_tried} places of tried "
        f"({in_tried / FULL.tried / FULL.size:.1%}), {kept} of {len(honest)} honest addresses stand; "
        f"connections by hop: {sorted(hops)}, {hops.count(EVIL_HOP)} of {len(hops)} to the attacker"
    )
    assert in_tried <= FULL.a_position * FULL.size
    assert kept >= 55
    assert len(hops) == 10
    assert len(set(hops)) == 10
    assert hops.count(EVIL_HOP) <= 1


def test_who_answers_does_not_push_out_who_answered() -> None:
    """The attacker's nodes want the same places in tried as an honest one; it stays as long as it answers feelers."""
    known = book(3, position_of)
    old = in_mesh(EVIL_HOP, 1)  # behind the same hop, so that the attacker reaches its bucket
    known.add(old, b"a friend", NOW, NOW)
    known.answered(old, NOW, key_of(old))
    wall = float(NOW)
    for n in range(2, 12_000):
        wall += 1
        evil = in_mesh(EVIL_HOP, n)
        known.add(evil, b"source" + bytes((n % 200,)), int(wall), wall)
        known.answered(evil, wall, key_of(evil))
        if n % 120 == 0 and (tested := known.to_test(wall)) is not None:
            known.attempted(tested.endpoint, wall)
            known.answered(tested.endpoint, wall, key_of(tested.endpoint))
    assert (known.get(old), True) in known.all()
