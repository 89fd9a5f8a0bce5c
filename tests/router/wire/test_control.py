"""Sequences of control messages: later types, more types, frames that they are split into."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from meshchain.crypto import ed25519_public_key, sign_ed25519, verify_ed25519
from meshrouter.wire import control, meshctl
from meshrouter.wire.nosession import NoSession
from tests.router.wire.samples import ANY_CONTROL, id_of

SEED = bytes(range(32))
KEY = ed25519_public_key(SEED)
GENESIS = b"g" * 32


def test_types_that_nobody_knows_yet_are_passed_over() -> None:
    later = b"\x63\0\4what" + control.encode(control.Bye(1)) + b"\0\0\0"
    assert control.decode_all(later) == [control.Bye(1)]


@dataclass(frozen=True, slots=True)
class Question:
    """A message of another family."""

    TYPE: ClassVar[int] = 99

    text: bytes

    def encode(self) -> bytes:
        return self.text

    @classmethod
    def decode(cls, body: bytes) -> "Question":
        return cls(body)


def test_families_are_joined_by_their_types() -> None:
    messages: list[control.Message] = [control.Dump(), Question(b"what")]
    assert control.decode_all(control.encode_all(messages), {**control.TYPES, 99: Question}) == messages
    both = {**meshctl.TYPES, 99: Question}
    assert meshctl.decode(meshctl.encode(Question(b"why")), both) == Question(b"why")
    assert meshctl.decode(meshctl.encode(NoSession(1, 2)), both) == NoSession(1, 2)


@given(st.lists(ANY_CONTROL, max_size=30), st.integers(118, 400))
def test_split_keeps_order_and_size(messages: list[control.Message], most: int) -> None:
    plaintexts = control.split(messages, most)
    assert all(0 < len(plaintext) <= most for plaintext in plaintexts)
    assert [message for plaintext in plaintexts for message in control.decode_all(plaintext)] == messages
    assert all(len(one) + len(two) > most // 2 for one, two in pairwise(plaintexts))


def test_what_an_origin_signs() -> None:
    """Every signed field counts, and so does the network; the metric, which neighbours add to, does not."""
    signature = sign_ed25519(SEED, control.announcement(GENESIS, KEY, seqno=7, height=8, caps=1, zone=9))
    good = control.Update(id=id_of(KEY), seqno=7, height=8, caps=1, zone=9, metric=0, signature=signature)

    def holds(update: control.Update, genesis: bytes = GENESIS) -> bool:
        return verify_ed25519(KEY, update.signed(genesis, KEY), update.signature)

    assert holds(good)
    assert holds(replace(good, metric=500))
    assert not holds(good, genesis=b"h" * 32)
    changed = (replace(good, seqno=8), replace(good, height=9), replace(good, caps=0), replace(good, zone=8))
    assert not any(map(holds, changed))
