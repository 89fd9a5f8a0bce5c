"""What a peer can make us keep, wait for, or do."""

import tracemalloc
from collections.abc import Callable

import pytest

from meshchain.p2p.transport import HANDSHAKE_TIME, MAX_MESSAGE, Established, Stream
from tests.p2p.transport.peers import KEY, MALLORY, Dishonest, alice, bob, fault, messages, sealing_for


def test_a_message_beyond_the_limit_is_refused_by_its_length_alone() -> None:
    victim = bob()
    seal = sealing_for(victim)
    error = fault(victim, seal((MAX_MESSAGE + 1).to_bytes(4, "big")))
    assert (error.code, error.proven) == ("message-too-long", True)
    assert victim.held <= 4


@pytest.mark.parametrize("size", [MAX_MESSAGE + 1, 2**31, 2**32 - 1])
def test_an_announced_length_costs_no_memory(size: int) -> None:
    victim = bob()
    seal = sealing_for(victim)
    assert memory_of(lambda: fault(victim, seal(size.to_bytes(4, "big") + b"x" * 100))) < 64 << 10


def test_nor_does_one_within_the_limit() -> None:
    """Only what has come is kept: 50 peers that announce the greatest message and send a thousand bytes of it."""
    victims = [(victim := bob(number), sealing_for(victim)) for number in range(50)]
    pieces = [(victim, seal(MAX_MESSAGE.to_bytes(4, "big") + bytes(1000))) for victim, seal in victims]
    assert memory_of(lambda: [victim.receive(piece, 0.0) for victim, piece in pieces]) < 50 * 10_000
    assert {victim.held for victim, _ in pieces} == {1004}


def memory_of(action: Callable[[], object]) -> int:
    """Peak bytes while it ran."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        action()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_a_type_s_own_limit_is_judged_with_its_first_byte() -> None:
    def limit_of(kind: int) -> int:
        return 100 if kind == 7 else 0

    for size, kind, code in ((100, 7, ""), (101, 7, "message-too-long"), (1, 8, "message-too-long")):
        victim = bob(limit_of=limit_of)
        seal = sealing_for(victim)
        assert victim.receive(seal(size.to_bytes(4, "big")), 0.0) == []
        if code:
            error = fault(victim, seal(bytes([kind])))
            assert (error.code, error.proven) == (code, True)
        else:
            assert messages(victim.receive(seal(bytes([kind]) * size), 0.0)) == [bytes([kind]) * size]


def test_no_type_may_exceed_the_limit_of_all() -> None:
    victim = bob(limit_of=lambda _kind: 2**32)
    seal = sealing_for(victim)
    assert fault(victim, seal((MAX_MESSAGE + 1).to_bytes(4, "big") + b"x")).code == "message-too-long"


def test_a_message_of_no_bytes_is_refused() -> None:
    victim = bob()
    seal = sealing_for(victim)
    error = fault(victim, seal(bytes(4)))
    assert (error.code, error.proven) == ("message-empty", True)


def test_the_fault_behind_good_messages_is_found_too() -> None:
    """And takes them with it: the same call delivers all or nothing."""
    victim = bob()
    seal = sealing_for(victim)
    good = b"\0\0\0\1x"
    assert messages(victim.receive(seal(good * 3), 0.0)) == [b"x"] * 3
    assert fault(victim, seal(good * 3 + bytes(4))).code == "message-empty"


def test_unread_input_stays_below_one_frame_and_one_message() -> None:
    """A message byte by byte, each in a frame of its own, and frames byte by byte."""
    victim = bob()
    seal = sealing_for(victim)
    plaintext = (50).to_bytes(4, "big") + b"m" * 50
    for number, byte in enumerate(plaintext[:-1]):
        for wire in seal(bytes([byte])):
            assert victim.receive(bytes([wire]), 0.0) == []
            assert victim.held <= number + 1 + 2 + 17
    assert messages(victim.receive(seal(plaintext[-1:]), 0.0)) == [b"m" * 50]
    assert victim.held == 0


def test_a_frame_that_never_ends_is_kept_only_as_far_as_it_came() -> None:
    victim = bob()
    sealing_for(victim)
    victim.receive(b"\xff\xff" + bytes(65_534), 0.0)
    assert victim.held == 65_536
    assert fault(victim, bytes(1)).code == "noise-tag"


@pytest.mark.parametrize("make", [alice, bob])
def test_a_handshake_that_comes_too_late_is_refused(make: Callable[[], Stream]) -> None:
    victim = make()
    assert victim.deadline() == HANDSHAKE_TIME == 10.0
    error = fault(victim, b"\0", 10.1)
    assert (error.code, error.proven) == ("handshake-timeout", False)
    assert victim.deadline() is None


def test_dripping_bytes_do_not_move_the_deadline() -> None:
    """Mallory is honest but slow: one byte every tenth of a second, of 196."""
    mallory, victim = Dishonest(MALLORY, initiator=True), bob()
    for number, byte in enumerate(mallory.hello()):
        victim.receive(bytes([byte]), number / 10)
    mallory.read(victim.take_output())
    proof = mallory.proof()
    for number in range(34, 101):
        assert victim.receive(proof[number - 34 : number - 33], number / 10) == []
        assert victim.deadline() == 10.0
    assert fault(victim, proof[67:], 10.1).code == "handshake-timeout"


def test_the_last_moment_is_in_time() -> None:
    mallory, victim = Dishonest(MALLORY, initiator=True), bob()
    victim.receive(mallory.hello(), 0.0)
    mallory.read(victim.take_output())
    assert victim.receive(mallory.proof(), 10.0) == [Established(KEY[MALLORY])]
    seal_late = mallory.cipher()
    sealed = seal_late.seal(b"\0\0\0\1x")
    assert messages(victim.receive(len(sealed).to_bytes(2, "big") + sealed, 1e6)) == [b"x"]
