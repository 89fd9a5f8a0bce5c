"""Node keys: known answers, the crafted edge cases of verification against the model, the X25519 form.

The signatures are built from a known secret a with parts of small order put in wherever they may stand:
A = [a]B + T, R = [r]B + T'. Then [S]B − [h]A = [r]B − [h]T, so that the bytewise rule accepts about one message
in eight of those with T ≠ 0, and the rule multiplied by the cofactor all of them.
"""

from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshchain.crypto import (
    ed25519_public_key,
    is_ed25519_public_key,
    sign_ed25519,
    verify_ed25519,
    x25519,
    x25519_private_from_ed25519,
    x25519_public_from_ed25519,
)
from meshchain.crypto.curve25519 import BASE, SMALL_ORDER_YS, decode_point
from tests.crypto.both_arms import agreed
from tests.crypto.models import edwards25519 as model

SMALL = model.small_order_points()
SECRET = 0x1F2E3D4C5B6A79887766554433221100FFEEDDCCBBAA99
SEED = bytes(range(32))
SIGN_BIT = 1 << 255


@dataclass(frozen=True)
class Crafted:
    key: bytes
    message: bytes
    signature: bytes


def _little(value: int) -> bytes:
    return value.to_bytes(32, "little")


def craft(torsion: int, nonce: int, r: bytes, message: bytes, excess: int = 0) -> Crafted:
    """A signature with S = r + h·a mod L, plus ``excess``, by a key with a part of small order."""
    key = model.encode(model.add(model.multiply(SECRET, model.BASE), SMALL[torsion]))
    s = (nonce + model.challenge(r, key, message) * SECRET) % model.L + excess
    return Crafted(key, message, r + _little(s % 2**256))


def encoded_r(nonce: int, torsion: int) -> bytes:
    return model.encode(model.add(model.multiply(nonce, model.BASE), SMALL[torsion]))


ODD_ENCODINGS = [
    _little(y | sign) for y in (0, 1, model.P - 1, model.P, model.P + 1, 2**255 - 1) for sign in (0, SIGN_BIT)
]
"""Of points with x = 0 or y = 0: canonical ones, unreduced ones, and those with a sign that no x has."""

torsions = st.integers(0, 7)
nonces = st.sampled_from([0, 0, 1, 77, model.L - 1])
messages = st.binary(max_size=3)


@st.composite
def crafted(draw: st.DrawFn) -> Crafted:
    nonce = draw(nonces)
    r = draw(st.sampled_from(ODD_ENCODINGS) | st.builds(encoded_r, st.just(nonce), torsions))
    excess = draw(st.sampled_from([0, 0, 0, model.L, 8 * model.L, 2**253]))
    return craft(draw(torsions), nonce, r, draw(messages), excess)


def both_verify(case: Crafted) -> bool:
    return agreed(lambda: verify_ed25519(case.key, case.message, case.signature))


@settings(max_examples=40)
@given(crafted())
def test_crafted_signatures_are_judged_as_the_model_judges(case: Crafted) -> None:
    assert both_verify(case) == model.verify(case.key, case.message, case.signature)


def _first(torsion: int, nonce: int, r: bytes, accepted: bool) -> Crafted:
    """The first message with the wanted judgement of the model."""
    tried = (craft(torsion, nonce, r, bytes([i])) for i in range(256))
    return next(case for case in tried if model.verify(case.key, case.message, case.signature) == accepted)


@pytest.mark.parametrize("nonce", [0, 77], ids=["R of small order", "R with a part of small order"])
def test_both_outcomes_occur_for_keys_with_a_part_of_small_order(nonce: int) -> None:
    right, wrong = (_first(1, nonce, encoded_r(nonce, 3), accepted) for accepted in (True, False))
    assert model.verify_with_cofactor(wrong.key, wrong.message, wrong.signature)
    assert both_verify(right)
    assert not both_verify(wrong)


def test_r_is_compared_and_never_decoded() -> None:
    """The neutral element as R: its one canonical encoding passes, the three others do not."""
    encodings = [_little(y | sign) for y in (1, model.P + 1) for sign in (0, SIGN_BIT)]
    assert [both_verify(craft(0, 0, r, b"")) for r in encodings] == [True, False, False, False]


def test_s_is_below_the_order() -> None:
    r = encoded_r(77, 0)
    assert [both_verify(craft(0, 77, r, b"", k * model.L)) for k in range(3)] == [True, False, False]


@pytest.mark.parametrize("point", SMALL, ids=lambda point: f"y={point[1] % 1000}")
def test_keys_of_small_order_are_refused(point: model.Point) -> None:
    """Both libraries accept them: [S]B − [h]A is R whenever h is a multiple of A's order."""
    key, r = model.encode(point), encoded_r(5, 0)
    message = next(m for m in map(bytes, ([i] for i in range(256))) if model.challenge(r, key, m) % 8 == 0)
    assert not both_verify(Crafted(key, message, r + _little(5)))
    assert not agreed(lambda: is_ed25519_public_key(key))


@pytest.mark.parametrize("sign", [0, SIGN_BIT])
def test_unreduced_keys_are_refused(sign: int) -> None:
    """y in p … 2^255 − 1; OpenSSL decodes twelve of these nineteen and verifies under them."""
    assert not any(is_ed25519_public_key(_little(y | sign)) for y in range(model.P, 2**255))
    key, r = _little(model.P + 1 | sign), encoded_r(5, 0)
    message = next(m for m in map(bytes, ([i] for i in range(256))) if model.challenge(r, key, m) % 4 == 0)
    assert not both_verify(Crafted(key, message, r + _little(5)))


def test_a_sign_without_an_x_is_refused() -> None:
    for y in (1, model.P - 1):
        assert decode_point(_little(y)) == (0, y)
        assert decode_point(_little(y | SIGN_BIT)) is None


@given(st.binary(min_size=32, max_size=32) | (st.integers(0, 40) | st.integers(model.P, 2**255 - 1)).map(_little))
@example(_little(model.P - 1))
@settings(max_examples=60)
def test_public_keys_and_points_are_those_of_the_model(key: bytes) -> None:
    assert is_ed25519_public_key(key) == model.is_public_key(key)
    assert decode_point(key) == model.decode(key)


def test_constants_are_those_of_the_model() -> None:
    assert BASE == model.BASE
    assert {y for _, y in SMALL} == SMALL_ORDER_YS
    assert all(model.is_on_curve(point) and model.has_small_order(point) for point in SMALL)
    assert len(set(SMALL)) == 8


@settings(max_examples=10)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=40))
def test_signing_is_that_of_the_model(seed: bytes, message: bytes) -> None:
    key, signature = agreed(lambda: (ed25519_public_key(seed), sign_ed25519(seed, message)))
    assert (key, signature) == (model.public_key(seed), model.sign(seed, message))
    assert both_verify(Crafted(key, message, signature))
    assert not both_verify(Crafted(key, message + b"\0", signature))


def test_rfc_8032_section_7_1_test_2(each_arm: str) -> None:
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    key = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    assert ed25519_public_key(seed) == key
    assert sign_ed25519(seed, b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_every_flipped_byte_is_noticed(each_arm: str) -> None:
    key, signature = ed25519_public_key(SEED), sign_ed25519(SEED, b"message")
    assert verify_ed25519(key, b"message", signature)
    for i in range(64):
        changed = signature[:i] + bytes([signature[i] ^ 1]) + signature[i + 1 :]
        assert not verify_ed25519(key, b"message", changed)


near_sizes = st.sampled_from([0, 1, 31, 32, 33, 63, 64, 65]).flatmap(lambda n: st.binary(min_size=n, max_size=n))


@settings(max_examples=60)
@given(near_sizes, st.binary(max_size=70), near_sizes)
@example(bytes(32), b"", bytes(64))
@example(b"\xff" * 32, b"", b"\xff" * 64)
@example(model.encode(model.BASE), b"", b"\xff" * 32 + bytes(32))
@example(_little(2), b"", bytes(64))
def test_verification_never_raises(key: bytes, message: bytes, signature: bytes) -> None:
    assert not both_verify(Crafted(key, message, signature))
    assert len(key) == 32 or not is_ed25519_public_key(key)


@settings(max_examples=15)
@given(st.binary(min_size=32, max_size=32))
def test_the_x25519_form_is_the_key_of_the_private_form(seed: bytes) -> None:
    derived = agreed(lambda: x25519_public_from_ed25519(ed25519_public_key(seed)))
    assert derived == agreed(lambda: x25519(x25519_private_from_ed25519(seed), _little(9)))


def test_two_nodes_agree_on_a_secret(each_arm: str) -> None:
    seeds = [SEED, SEED[::-1]]
    private = [x25519_private_from_ed25519(seed) for seed in seeds]
    public = [x25519_public_from_ed25519(ed25519_public_key(seed)) for seed in seeds]
    assert x25519(private[0], public[1]) == x25519(private[1], public[0])


@pytest.mark.parametrize("key", [b"", bytes(31), _little(1), _little(model.P), _little(2), b"\xff" * 32])
def test_only_public_keys_have_an_x25519_form(key: bytes) -> None:
    with pytest.raises(ValueError, match="no Ed25519 public key"):
        x25519_public_from_ed25519(key)


def test_wrong_sizes_of_secrets_are_refused(each_arm: str) -> None:
    for size in (0, 31, 33):
        for call in (ed25519_public_key, x25519_private_from_ed25519, lambda seed: sign_ed25519(seed, b"")):
            with pytest.raises(ValueError, match="seed has 32 bytes"):
                call(bytes(size))
        with pytest.raises(ValueError, match="32 bytes"):
            x25519(bytes(size), _little(9))
        with pytest.raises(ValueError, match="32 bytes"):
            x25519(_little(9), bytes(size))


@pytest.mark.parametrize("public", [0, 1, model.P, model.P + 1, model.P - 1])
def test_an_all_zero_secret_is_refused(each_arm: str, public: int) -> None:
    with pytest.raises(ValueError, match=r".+"):
        x25519(x25519_private_from_ed25519(SEED), _little(public))
