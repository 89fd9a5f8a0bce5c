"""Frames between whole routers, spoiled on their way: what is not authentic changes nothing."""

import random

import pytest

from meshrouter.links.virtual import VirtualLink
from meshrouter.wire.frame import FIRST_CONTROL, FIRST_PACKET
from tests.router.whole.world import World

SEALED = (FIRST_CONTROL, FIRST_PACKET)


def talking() -> World:
    world = World(*"abc")
    world.line(*"abc")
    world.run(10)
    world["a"].send(world["c"])
    world.run(1)
    assert world["c"].payloads() == [b"hello"]
    return world


def test_every_frame_twice_and_again_later() -> None:
    world, recorded = talking(), []

    def twice(link: VirtualLink, frame: bytes) -> list[bytes]:
        recorded.append((link, frame))
        return [frame, frame]

    world.on_frame = twice
    for number in range(20):
        world["a"].send(world["c"], bytes((number,)))
    world.run(10)
    assert world["c"].payloads() == [bytes((number,)) for number in range(20)]
    world.on_frame = lambda _link, frame: [frame]
    before = world["c"].router.plane.delivered
    for link, frame in recorded:
        if frame[0] in SEALED:
            link.arrive(b"\0" * 6, frame)
    world.run(1)
    assert world["c"].payloads() == []
    assert world["c"].router.plane.delivered == before
    assert world["b"].dropped("link-sealed") > 20


@pytest.mark.parametrize("seed", range(5))
def test_flipped_bits_truncation_and_noise(seed: int) -> None:
    world, rng = talking(), random.Random(seed)

    def spoil(_link: VirtualLink, frame: bytes) -> list[bytes]:
        broken = bytearray(frame)
        broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
        noise = rng.randbytes(rng.randrange(1, 100))
        return [bytes(broken), frame[: rng.randrange(len(frame))], frame, frame[:4] + noise, noise]

    world.on_frame = spoil
    for number in range(50):
        world["a"].send(world["c"], bytes((number,)))
        world.run(0.2)
    assert world["c"].payloads() == [bytes((number,)) for number in range(50)]


@pytest.mark.parametrize("seed", range(3))
def test_thirty_percent_lost_and_the_rest_reordered(seed: int) -> None:
    world, rng = World(*"abc"), random.Random(seed)
    held: dict[int, bytes] = {}

    def lossy(link: VirtualLink, frame: bytes) -> list[bytes]:
        """Every third is lost, every third of the rest is overtaken by the next one."""
        if rng.random() < 0.3:
            return []
        late = held.pop(link.number, None)
        if late is None and rng.random() < 0.3:
            held[link.number] = frame
            return []
        return [frame] if late is None else [frame, late]

    world.on_frame = lossy
    world.line(*"abc")
    world.run(60)
    for number in range(200):
        world["a"].send(world["c"], bytes((number,)))
        world.run(0.1)
    came = world["c"].payloads()
    assert len(came) > 20, "two hops and a handshake of four frames: half would arrive if it never had to be repeated"
    assert len(set(came)) == len(came)


def test_a_stranger_on_the_link_changes_nothing() -> None:
    world = talking()
    rng = random.Random(1)
    link = world["b"].links[0]
    for kind in range(32):
        for size in (0, 1, 11, 12, 13, 28, 44, 56, 184, 1400):
            link.arrive(b"\0\0\0\0\0\7", bytes((0x20 | kind,)) + rng.randbytes(size))
    for size in range(80):
        link.arrive(b"\0\0\0\0\0\7", bytes(size))
    world.run(10)
    world["a"].send(world["c"], b"still")
    world.run(1)
    assert world["c"].payloads() == [b"still"]
    assert sum(world["b"].env.counters.values()) > 300
