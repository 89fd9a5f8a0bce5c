"""signatures.json, on both arms: nothing here may depend on the library below."""

from collections.abc import Iterator

import pytest

from meshchain import crypto
from meshchain.crypto import arms
from tests.crypto.both_arms import missing, using
from tests.spec.reading import load, raw

VECTORS = load("signatures.json")
ECDSA, ED25519 = VECTORS["ecdsa"], VECTORS["ed25519"]


@pytest.fixture(params=("fast", "portable"), autouse=True)
def arm(request: pytest.FixtureRequest) -> Iterator[str]:
    if reason := missing(request.param):
        pytest.skip(reason)
    with using(request.param):
        assert arms.arm_name() == request.param
        yield request.param


def test_owner_keys() -> None:
    assert [crypto.is_ecdsa_public_key(raw(case["key"])) for case in ECDSA["keys"]] == _valid(ECDSA["keys"])


def test_node_keys() -> None:
    assert [crypto.is_ed25519_public_key(raw(case["key"])) for case in ED25519["keys"]] == _valid(ED25519["keys"])


def test_ecdsa_signing() -> None:
    for case in ECDSA["signing"]:
        private, digest, signature = raw(case["private"]), raw(case["digest"]), raw(case["signature"])
        assert crypto.ecdsa_public_key(private) == raw(case["key"])
        assert crypto.sign_ecdsa(private, digest) == signature
        assert crypto.verify_ecdsa(raw(case["key"]), digest, signature)


def test_ed25519_signing_and_the_x25519_form() -> None:
    for case in ED25519["signing"]:
        seed, key, message = raw(case["seed"]), raw(case["key"]), raw(case["message"])
        assert crypto.ed25519_public_key(seed) == key
        assert crypto.sign_ed25519(seed, message) == raw(case["signature"])
        assert crypto.verify_ed25519(key, message, raw(case["signature"]))
        assert crypto.x25519_private_from_ed25519(seed) == raw(case["x25519_private"])
        assert crypto.x25519_public_from_ed25519(key) == raw(case["x25519_public"])


def test_ecdsa_verifying() -> None:
    verdicts = [
        crypto.verify_ecdsa(raw(case["key"]), raw(case["digest"]), raw(case["signature"]))
        for case in ECDSA["verifying"]
    ]
    assert verdicts == _valid(ECDSA["verifying"])


def test_ed25519_verifying() -> None:
    verdicts = [
        crypto.verify_ed25519(raw(case["key"]), raw(case["message"]), raw(case["signature"]))
        for case in ED25519["verifying"]
    ]
    assert verdicts == _valid(ED25519["verifying"])


def _valid(cases: list[dict[str, bool]]) -> list[bool]:
    expected = [case["valid"] for case in cases]
    assert set(expected) == {True, False}
    return expected
