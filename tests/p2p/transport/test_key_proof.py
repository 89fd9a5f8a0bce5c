"""Peers that claim a key they have not proven; each holds the private part of the Noise static key it shows."""

import pytest

from meshchain.crypto import sign_ed25519, x25519_public_from_ed25519
from meshchain.crypto.hashing import tagged_hash
from meshchain.p2p.transport import Established, Stream, TransportError
from meshchain.p2p.transport.identity import prove
from tests.p2p.transport.peers import ALICE, BOB, KEY, MALLORY, Dishonest, Proof, alice, bob, fault

MINUS_MALLORY = KEY[MALLORY][:31] + bytes([KEY[MALLORY][31] ^ 0x80])


def signature(seed: bytes, digest: bytes) -> bytes:
    return prove(seed, digest)[32:]


CLAIMS: dict[str, tuple[Proof, str]] = {
    "−A with A's signature": (lambda digest: MINUS_MALLORY + signature(MALLORY, digest), "key-not-proven"),
    "another's key, own signature": (lambda digest: KEY[ALICE] + signature(MALLORY, digest), "key-mismatch"),
    "another's key and signature": (lambda digest: prove(ALICE, digest), "key-mismatch"),
    "own key, no signature": (lambda digest: KEY[MALLORY] + bytes(64), "key-not-proven"),
    "own key, another's signature": (lambda digest: KEY[MALLORY] + signature(ALICE, digest), "key-not-proven"),
    "a proof from another handshake": (lambda digest: prove(MALLORY, bytes(32)), "key-not-proven"),
    "a signature over the bare hash": (lambda digest: KEY[MALLORY] + sign_ed25519(MALLORY, digest), "key-not-proven"),
    "a signature for another purpose": (
        lambda digest: KEY[MALLORY] + sign_ed25519(MALLORY, tagged_hash("host", digest)),
        "key-not-proven",
    ),
    "a point of small order": (lambda digest: b"\1" + bytes(95), "key-mismatch"),
    "no point": (lambda digest: b"\2" + bytes(95), "key-mismatch"),
    "y not below p": (lambda digest: b"\xff" * 96, "key-mismatch"),
}
each_claim = pytest.mark.parametrize("claim", CLAIMS)


def test_minus_a_is_a_key_with_the_same_x25519_form() -> None:
    """What makes the attack worth trying."""
    assert x25519_public_from_ed25519(MINUS_MALLORY) == x25519_public_from_ed25519(KEY[MALLORY])


def meet_as_initiator(victim: Stream, proof: Proof) -> TransportError:
    mallory = Dishonest(MALLORY, initiator=True, proof=proof)
    victim.receive(mallory.hello(), 0.0)
    mallory.read(victim.take_output())
    return fault(victim, mallory.proof())


def meet_as_responder(victim: Stream, proof: Proof) -> TransportError:
    mallory = Dishonest(MALLORY, initiator=False, proof=proof)
    mallory.read(victim.take_output())
    return fault(victim, mallory.proof())


@each_claim
def test_a_responder_believes_no_unproven_key(claim: str) -> None:
    proof, code = CLAIMS[claim]
    victim = bob()
    error = meet_as_initiator(victim, proof)
    assert (error.code, error.proven) == (code, False)
    with pytest.raises(RuntimeError):
        victim.send(b"secret")


@each_claim
def test_an_initiator_believes_no_unproven_key_and_does_not_show_its_own(claim: str) -> None:
    proof, code = CLAIMS[claim]
    victim = alice()
    error = meet_as_responder(victim, proof)
    assert (error.code, error.proven) == (code, False)
    assert victim.take_output() == b""


def test_a_proof_made_for_one_handshake_is_of_no_use_in_another() -> None:
    made: list[bytes] = []

    def keep(digest: bytes) -> bytes:
        made.append(prove(MALLORY, digest))
        return made[-1]

    mallory, victim = Dishonest(MALLORY, initiator=True, proof=keep), bob(2)
    victim.receive(mallory.hello(), 0.0)
    mallory.read(victim.take_output())
    assert victim.receive(mallory.proof(), 0.0) == [Established(KEY[MALLORY])]
    assert meet_as_initiator(bob(3), lambda _digest: made[0]).code == "key-not-proven"


def test_the_responder_s_key_is_sealed() -> None:
    victim = bob()
    victim.receive(alice().take_output(), 0.0)
    assert KEY[BOB] not in victim.take_output()
