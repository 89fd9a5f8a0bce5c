"""Owner keys: known answers, and crafted edge cases against the model on both arms."""

from hashlib import sha256

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshchain.crypto import ECDSA_ORDER, ecdsa_public_key, is_ecdsa_public_key, sign_ecdsa, verify_ecdsa
from tests.crypto.both_arms import agreed
from tests.crypto.models import secp256k1 as model

N = model.N
HALF = N // 2
DIGEST = sha256(b"digest").digest()


def _big(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _signature(r: int, s: int) -> bytes:
    return _big(r) + _big(s)


def _x(point: model.Point) -> int:
    assert point is not None
    return point[0]


def both_verify(key: bytes, digest: bytes, signature: bytes) -> bool:
    """What both arms and the model answer."""
    answer = agreed(lambda: verify_ecdsa(key, digest, signature))
    assert answer == model.verify(key, digest, signature)
    return answer


secrets = st.sampled_from([1, 2, 3, HALF, HALF + 1, N - 2, N - 1]) | st.integers(1, N - 1)
digests = st.sampled_from([0, 1, N - 1, N, N + 1, 2**256 - 1]).map(_big) | st.binary(min_size=32, max_size=32)


@settings(max_examples=25)
@given(secrets, secrets, digests)
def test_crafted_signatures_are_judged_as_the_model_judges(secret: int, nonce: int, digest: bytes) -> None:
    """Small and large secrets and nonces: sums that meet at equal, opposite and neutral points."""
    key = model.encode(model.multiply(secret, model.BASE))
    r = _x(model.multiply(nonce, model.BASE)) % N
    s = pow(nonce, -1, N) * (int.from_bytes(digest, "big") + r * secret) % N
    for variant in (s, -s % N):
        assert both_verify(key, digest, _signature(r, variant)) == (1 <= variant <= HALF)
    assert not both_verify(key, _big(int.from_bytes(digest, "big") ^ 1), _signature(r, min(s, N - s)))


def _signed_with(s: int) -> tuple[bytes, bytes, bytes]:
    """Key, digest and signature with a chosen s: the digest is made to fit."""
    secret, nonce = 5, 11
    r = _x(model.multiply(nonce, model.BASE)) % N
    digest = _big((s * nonce - r * secret) % N)
    return model.encode(model.multiply(secret, model.BASE)), digest, _signature(r, s)


@pytest.mark.parametrize(("s", "accepted"), [(1, True), (HALF, True), (HALF + 1, False), (N - 1, False)])
def test_s_lies_in_the_lower_half(s: int, accepted: bool) -> None:
    assert both_verify(*_signed_with(s)) == accepted


def test_zeros_and_unreduced_numbers_are_refused() -> None:
    key, digest, signature = _signed_with(7)
    r, s = int.from_bytes(signature[:32], "big"), 7
    for wrong in ((0, s), (r, 0), (0, 0), (N, s), (r, N), (r, s + N), (2**256 - 1, s)):
        assert not both_verify(key, digest, _signature(*wrong))


def _point_with_x_above_n() -> model.Point:
    return next(point for x in range(N + 1, N + 100) if (point := model.lift(x)) is not None)


def test_an_x_above_the_order_counts_reduced_and_only_so() -> None:
    """x − n is the r of a point with n ≤ x < p: right as a number below n, wrong when written out as x."""
    point, s = _point_with_x_above_n(), 12345
    r = _x(point) - N
    inverse, e = pow(r, -1, N), int.from_bytes(DIGEST, "big")
    owner = model.add(model.multiply(inverse * s, point), model.multiply(-inverse * e, model.BASE))
    key = model.encode(owner)
    assert both_verify(key, DIGEST, _signature(r, s))
    assert not both_verify(key, DIGEST, _signature(r + N, s))


def test_a_sum_at_infinity_is_refused() -> None:
    """e = −r·d makes u1·G + u2·Q neutral, which has no x."""
    secret = 9
    r = _x(model.multiply(4, model.BASE)) % N
    key, digest = model.encode(model.multiply(secret, model.BASE)), _big(-r * secret % N)
    assert not both_verify(key, digest, _signature(r, 3))


def _off_curve_x() -> int:
    return next(x for x in range(1, 100) if model.lift(x) is None)


ON_CURVE_X = next(x for x in range(1, 100) if model.lift(x) is not None)


@pytest.mark.parametrize(
    ("key", "accepted"),
    [
        (b"\x02" + _big(ON_CURVE_X), True),
        (b"\x03" + _big(ON_CURVE_X), True),
        (b"\x02" + _big(model.P + ON_CURVE_X), False),
        (b"\x02" + _big(model.P), False),
        (b"\x02" + _big(_off_curve_x()), False),
        (b"\x02" + bytes(32), False),
        (b"\x00" + _big(ON_CURVE_X), False),
        (b"\x04" + _big(ON_CURVE_X), False),
        (b"\x06" + _big(ON_CURVE_X), False),
        (b"\x02" + _big(ON_CURVE_X) + b"\0", False),
        (b"\x02" + _big(ON_CURVE_X)[1:], False),
        (_big(ON_CURVE_X), False),
        (b"", False),
        (b"\0", False),
    ],
)
def test_public_keys_have_one_form(key: bytes, accepted: bool) -> None:
    assert agreed(lambda: is_ecdsa_public_key(key)) == accepted == (model.decode(key) is not None)


def test_uncompressed_keys_are_refused() -> None:
    assert model.BASE is not None
    body = b"".join(map(_big, model.BASE))
    for key in (b"\x04" + body, b"\x06" + body, b"\x07" + body):
        assert not agreed(lambda key=key: is_ecdsa_public_key(key))  # type: ignore[misc]
        assert not both_verify(key, DIGEST, _signature(1, 1))


@settings(max_examples=30)
@given(st.binary(min_size=32, max_size=32), st.sampled_from([2, 3]))
def test_random_keys_are_judged_as_the_model_judges(x: bytes, prefix: int) -> None:
    key = bytes([prefix]) + x
    assert agreed(lambda: is_ecdsa_public_key(key)) == (model.decode(key) is not None)


@settings(max_examples=20)
@given(secrets, digests)
@example(1, _big(N))
@example(N - 1, b"\xff" * 32)
def test_signing_is_the_same_on_both_arms_and_verifies(secret: int, digest: bytes) -> None:
    private = _big(secret)
    key, signature = agreed(lambda: (ecdsa_public_key(private), sign_ecdsa(private, digest)))
    assert key == model.encode(model.multiply(secret, model.BASE))
    assert both_verify(key, digest, signature)


@pytest.mark.parametrize(
    ("secret", "message", "signature"),
    [
        (
            1,
            b"Satoshi Nakamoto",
            (
                "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
                "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"
            ),
        ),
        (
            N - 1,
            b"Satoshi Nakamoto",
            (
                "fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d0"
                "6b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5"
            ),
        ),
    ],
)
def test_nonces_of_rfc_6979(each_arm: str, secret: int, message: bytes, signature: str) -> None:
    """Known answers that Bitcoin's implementations share."""
    assert sign_ecdsa(_big(secret), sha256(message).digest()).hex() == signature


def test_every_flipped_byte_is_noticed(each_arm: str) -> None:
    key, signature = ecdsa_public_key(_big(77)), sign_ecdsa(_big(77), DIGEST)
    assert verify_ecdsa(key, DIGEST, signature)
    for i in range(64):
        changed = signature[:i] + bytes([signature[i] ^ 1]) + signature[i + 1 :]
        assert not verify_ecdsa(key, DIGEST, changed)


near_sizes = st.sampled_from([0, 1, 31, 32, 33, 34, 63, 64, 65]).flatmap(lambda n: st.binary(min_size=n, max_size=n))


@settings(max_examples=60)
@given(near_sizes | st.binary(min_size=32, max_size=32).map(b"\x02".__add__), near_sizes, near_sizes)
@example(b"\x02" + _big(_off_curve_x()), bytes(32), _signature(1, 1))
@example(b"\x02" + _big(ON_CURVE_X), bytes(32), _signature(1, 1))
@example(b"\x02" + _big(ON_CURVE_X), bytes(32), _signature(N - 1, HALF))
def test_verification_never_raises(key: bytes, digest: bytes, signature: bytes) -> None:
    both_verify(key, digest, signature)


@pytest.mark.parametrize("private", [b"", bytes(32), _big(N), b"\xff" * 32, bytes(31), b"\1" * 33])
def test_private_keys_outside_the_range_are_refused(each_arm: str, private: bytes) -> None:
    with pytest.raises(ValueError, match="between 1 and n − 1"):
        ecdsa_public_key(private)
    with pytest.raises(ValueError, match="between 1 and n − 1"):
        sign_ecdsa(private, DIGEST)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_digests_of_other_sizes_are_not_signed(each_arm: str, size: int) -> None:
    with pytest.raises(ValueError, match="digest has 32 bytes"):
        sign_ecdsa(_big(1), bytes(size))


def test_the_order_is_that_of_the_model() -> None:
    assert ECDSA_ORDER == N
    assert model.multiply(N - 1, model.BASE) == model.negate(model.BASE)
