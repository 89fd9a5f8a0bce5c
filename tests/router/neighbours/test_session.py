"""Link sessions: frames as the format has them, each opened once, nothing else opened."""

from random import Random

import pytest

from meshchain.crypto import seal_chacha20poly1305
from meshrouter.neighbours.session import WINDOW, LinkSession
from meshrouter.wire.frame import CONTROL, PACKET, Frame
from meshrouter.wire.train import train_aad

FORTH, BACK = bytes(range(32)), bytes(range(32, 64))


def ends() -> tuple[LinkSession, LinkSession]:
    return LinkSession(1, 0xAABBCCDD, FORTH, BACK), LinkSession(0xAABBCCDD, 1, BACK, FORTH, initiator=False)


def test_a_frame_is_header_ciphertext_and_tag() -> None:
    sender, _ = ends()
    sender.sealer.counter = 0x1_0000_0007
    header = bytes.fromhex("29 00 0015 aabbccdd 00000007")
    nonce = bytes.fromhex("00000000 0700000001000000")
    assert sender.seal(PACKET, b"hello") == header + seal_chacha20poly1305(FORTH, nonce, b"hello", header)
    assert Frame.decode(sender.seal(CONTROL, b"")).counter == 8


def test_both_directions_open_once_and_in_any_order() -> None:
    a, b = ends()
    for sender, receiver in ((a, b), (b, a)):
        frames = [sender.seal(PACKET, bytes((i,)) * i) for i in range(200)]
        order = list(range(200))
        Random(1).shuffle(order)
        assert not receiver.proven
        assert [receiver.open(frames[i]) for i in order] == [bytes((i,)) * i for i in order]
        assert [receiver.open(frame) for frame in frames] == [None] * 200
        assert receiver.proven


def test_padding_is_cut_off_and_its_content_does_not_matter() -> None:
    a, b = ends()
    assert b.open(a.seal(PACKET, b"x") + b"padding") == b"x"


def test_nothing_changed_or_short_opens_and_the_window_stays() -> None:
    a, b = ends()
    frame = a.seal(PACKET, b"payload")
    for at in range(len(frame)):
        if 4 <= at < 8:
            continue  # the index: whoever looked it up has found another session, or none
        for bit in range(8):
            assert b.open(frame[:at] + bytes((frame[at] ^ 1 << bit,)) + frame[at + 1 :]) is None
    for index in range(4, 8):
        assert b.open(frame[:index] + b"\x00" + frame[index + 1 :]) is None
    for size in range(12, len(frame)):
        assert b.open(frame[:size]) is None
    assert b.open(frame[:2] + bytes(2) + frame[4:]) is None
    assert b.window.greatest == -1
    assert b.open(frame) == b"payload"


def test_a_frame_does_not_open_for_its_sender() -> None:
    a, _ = ends()
    assert a.open(a.seal(PACKET, b"payload")) is None


def test_what_is_older_than_the_window_does_not_open() -> None:
    a, b = ends()
    frames = [a.seal(PACKET, b"%d" % i) for i in range(WINDOW + 1)]
    assert b.open(frames[-1]) == b"%d" % WINDOW
    assert b.open(frames[0]) is None
    assert b.open(frames[1]) == b"1"


def test_a_session_is_spent_by_either_direction() -> None:
    for direction in (0, 1):
        a, b = ends()
        sender, receiver = (a, b) if direction else (b, a)
        sender.sealer.counter = (1 << 30) - 1
        receiver.window.seen((1 << 30) - 2)
        spent = [(sender.spent, receiver.spent)]
        for _ in range(2):
            receiver.open(sender.seal(PACKET, b""))
            spent.append((sender.spent, receiver.spent))
        assert spent == [(False, False), (True, False), (True, True)]


@pytest.mark.parametrize("size", [0, 1, 1000, 60_000])
def test_a_train_is_one_text_under_one_number_in_equal_pieces(size: int) -> None:
    a, b = ends()
    packet = Random(size).randbytes(size)
    frames = a.seal_cars(packet, 1440).frames()
    cars = [Frame.decode(frame) for frame in frames]
    assert {(car.kind, car.index, car.counter) for car in cars} == {(10, 0xAABBCCDD, 0)}
    assert [car.flags for car in cars] == [*range(len(cars) - 1), (len(cars) - 1) | 0x80]
    assert {len(car.body) for car in cars[:-1]} <= {1440}
    sealed = b"".join(car.body for car in cars)
    assert b.opener.open(0, sealed, train_aad(0xAABBCCDD, 0)) == packet
    assert a.sealer.counter == 1


def test_a_train_that_is_too_long_is_a_mistake() -> None:
    a, _ = ends()
    assert len(a.seal_cars(bytes(45 * 1440 - 16), 1440)) == 45
    with pytest.raises(ValueError, match="45 frames"):
        a.seal_cars(bytes(45 * 1440 - 15), 1440)
