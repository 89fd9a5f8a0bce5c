"""The derivation is part of the public protocol: these values never change."""

from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from meshchain.crypto import ecdsa_public_key, sign_ecdsa, verify_ecdsa
from wallet import words
from wallet.derivation import GAP, ORDER, Keyring

SENTENCE = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
SEED = words.seed(SENTENCE)


def _h(person: bytes, data: bytes) -> bytes:
    return blake2b(data, digest_size=32, person=person.ljust(16, b"\0")).digest()


def test_the_formulas_written_out() -> None:
    keys = Keyring(SEED)
    assert keys.owner_private("alice") == _h(b"wallet-owner", b"\0" + SEED + b"alice")
    assert keys.receive_private(258) == _h(b"wallet-receive", b"\0" + SEED + b"\0\0\1\2")
    assert keys.salt("alice") == _h(b"wallet-salt", SEED + b"alice")


def test_vectors() -> None:
    keys = Keyring(SEED)
    assert SEED.hex().startswith("5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1")
    assert keys.owner("alice").hex() == "02716625d3389877f69bfa3ab74736d56ffca6eb86bb20ef854b64cdf1807f69e6"
    assert keys.receive(0).hex() == "024cf863c275795606600c449f034b1f3a1ddd93b3c5b0373c36f554312ca54db8"
    assert keys.salt("alice").hex() == "115669d45a7d9d8da24f37fd32da554d26246c233af18358bd1c8eb380f9e64b"


@given(st.binary(min_size=64, max_size=64), st.integers(0, 2**32 - 1))
def test_every_scalar_is_a_private_key(seed: bytes, index: int) -> None:
    private = Keyring(seed).receive_private(index)
    assert 1 <= int.from_bytes(private, "big") < ORDER
    assert verify_ecdsa(ecdsa_public_key(private), bytes(32), sign_ecdsa(private, bytes(32)))


def test_owners_are_found_within_the_gap_and_not_beyond() -> None:
    keys = Keyring(SEED)
    assert keys.private_for("alice", keys.owner("alice"), 0) == keys.owner_private("alice")
    assert keys.private_for("alice", keys.owner("bob"), 0) is None
    assert keys.receive_index(keys.receive(GAP - 1), 0) == GAP - 1
    assert keys.receive_index(keys.receive(GAP), 0) is None
    assert keys.private_for("alice", keys.receive(GAP), 1) == keys.receive_private(GAP)
    assert keys.owns("alice", keys.receive(3), 0)
    assert not keys.owns("alice", keys.owner("bob"), 0)
