"""What a handshake must refuse, and that a refusal changes nothing."""

from itertools import product

import pytest

from meshchain.crypto.noise import IK, MAX_PAYLOAD, XK, XX, HandshakeState, NoiseError, Pattern, x25519_public
from tests.crypto.noise.exchanges import INITIATOR, RESPONDER, before_message, initiator, payload, responder

PATTERNS = (XX, XK, IK)
SEALED = [
    (pattern, step) for pattern in PATTERNS for step in range(len(pattern.messages)) if (pattern, step) != (XX, 0)
]
"""All but the first message of XX, in which there is nothing to check."""
each_sealed = pytest.mark.parametrize(("pattern", "step"), SEALED, ids=[f"{p.name} {s + 1}" for p, s in SEALED])
each_pattern = pytest.mark.parametrize("pattern", PATTERNS, ids=[pattern.name for pattern in PATTERNS])


def refused(reader: HandshakeState, message: bytes) -> str:
    with pytest.raises(NoiseError) as caught:
        reader.read_message(message)
    return caught.value.code


@each_sealed
def test_any_flipped_bit_is_refused_and_the_true_message_still_read(pattern: Pattern, step: int) -> None:
    message, reader = before_message(pattern, step)
    before = reader.handshake_hash, reader.remote_static
    for place in range(len(message)):
        changed = bytearray(message)
        changed[place] ^= 0x80  # the bit that X25519 ignores in a key's last byte
        assert refused(reader, bytes(changed)) in ("noise-tag", "noise-key")
        assert (reader.handshake_hash, reader.remote_static) == before
    assert reader.read_message(message) == payload(step)


@each_sealed
def test_any_truncation_is_refused(pattern: Pattern, step: int) -> None:
    message, reader = before_message(pattern, step)
    codes = {refused(reader, message[:size]) for size in range(len(message))}
    assert codes == {"noise-size", "noise-tag"}
    assert reader.read_message(message) == payload(step)


@each_pattern
def test_what_is_longer_than_a_noise_message_is_refused_unread(pattern: Pattern) -> None:
    assert refused(responder(pattern), bytes(65_536)) == "noise-size"


def test_a_changed_first_message_of_xx_shows_in_the_second() -> None:
    first, second = initiator(XX), responder(XX)
    message = bytearray(first.write_message(b"plain"))
    message[-1] ^= 1
    assert second.read_message(bytes(message)) == b"plaio"
    assert refused(first, second.write_message()) == "noise-tag"


@each_pattern
def test_sides_with_different_prologues_do_not_meet(pattern: Pattern) -> None:
    first, second = initiator(pattern), responder(pattern, prologue=b"another")
    with pytest.raises(NoiseError):
        first.read_message((second.read_message(first.write_message()), second.write_message())[1])


@pytest.mark.parametrize("pattern", [XK, IK], ids=["XK", "IK"])
def test_a_message_for_another_responder_does_not_open(pattern: Pattern) -> None:
    message = initiator(pattern, expects=INITIATOR).write_message()
    assert refused(responder(pattern), message) == "noise-tag"


@pytest.mark.parametrize("pattern", [XX, XK], ids=["XX", "XK"])
def test_a_recorded_last_message_does_not_open_for_a_fresh_ephemeral_key(pattern: Pattern) -> None:
    first, second = initiator(pattern), responder(pattern)
    opening = first.write_message()
    second.read_message(opening)
    first.read_message(second.write_message())
    closing = first.write_message()
    again = responder(pattern, ephemeral=3)
    again.read_message(opening)
    again.write_message()
    assert refused(again, closing) == "noise-tag"


def test_a_replayed_first_message_of_ik_is_read_but_leads_nowhere() -> None:
    """As the pattern's own words say; who records it cannot read the answer."""
    opening, second = before_message(IK, 0)
    again = responder(IK, ephemeral=3)
    assert second.read_message(opening) == again.read_message(opening)
    assert again.remote_static == x25519_public(INITIATOR)
    second.write_message()
    again.write_message()
    with pytest.raises(NoiseError):
        again.split()[1].open(second.split()[0].seal(b"recorded"))


@pytest.mark.parametrize(("pattern", "step"), [(XX, 1), (XK, 0), (IK, 0)], ids=["XX 2", "XK 1", "IK 1"])
@pytest.mark.parametrize("low", [bytes(32), b"\1" + bytes(31)], ids=["zero", "one"])
def test_ephemeral_keys_of_small_order_are_refused(each_arm: str, pattern: Pattern, step: int, low: bytes) -> None:
    message, reader = before_message(pattern, step)
    assert refused(reader, low + message[32:]) == "noise-key"


def test_a_small_order_key_in_the_first_message_of_xx_cannot_be_answered() -> None:
    reader = responder(XX)
    reader.read_message(bytes(32))
    with pytest.raises(NoiseError, match="small order"):
        reader.write_message()


@each_pattern
def test_calls_out_of_turn_are_mistakes(pattern: Pattern) -> None:
    first, second = initiator(pattern), responder(pattern)
    for wrong in (first.split, second.write_message, lambda: first.read_message(bytes(100))):
        with pytest.raises(RuntimeError):
            wrong()
    for _ in pattern.messages:
        second.read_message(first.write_message())
        first, second = second, first
    assert first.finished
    assert not first.my_turn
    for wrong in (first.write_message, lambda: first.read_message(bytes(100))):
        with pytest.raises(RuntimeError):
            wrong()


@pytest.mark.parametrize(("pattern", "known", "starts"), [*product(PATTERNS, (True, False), (True, False))])
def test_a_remote_key_is_given_where_the_pattern_knows_it(pattern: Pattern, known: bool, starts: bool) -> None:
    def make() -> HandshakeState:
        return HandshakeState(
            pattern,
            initiator=starts,
            prologue=b"",
            static=INITIATOR,
            ephemeral=lambda: RESPONDER,
            remote_static=x25519_public(RESPONDER) if known else None,
        )

    if known == (starts and pattern is not XX):
        assert (make().remote_static is not None) is known
    else:
        with pytest.raises(ValueError, match="remote_static"):
            make()


@each_pattern
def test_payloads_up_to_the_limit_travel(pattern: Pattern) -> None:
    first, second = initiator(pattern), responder(pattern)
    with pytest.raises(ValueError, match="payload"):
        first.write_message(bytes(MAX_PAYLOAD + 1))
    for _ in pattern.messages:
        assert second.read_message(first.write_message(bytes(MAX_PAYLOAD))) == bytes(MAX_PAYLOAD)
        first, second = second, first
