from dataclasses import replace
from hashlib import blake2b

import pytest
from argon2.low_level import Type, hash_secret_raw
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger import codec, params, stamps
from meshchain.ledger.errors import CodecError, RuleError
from meshchain.ledger.params import Consensus
from meshchain.ledger.stamps import Stamp
from meshchain.ledger.workers import InlineWorkers, ThreadWorkers, Workers
from tests.ledger.work.stamping import CountingWorkers, make_stamp

ANCHOR, BODY, SIGNATURE, BITS, MEMORY = (720, b"8 bytes!"), b"the body", b"s" * 64, 7, 8
U64 = 2**64 - 1
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, U64) | st.binary(max_size=9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def good() -> Stamp:
    return make_stamp(*ANCHOR, BODY, SIGNATURE, BITS, MEMORY)


def check(stamp: Stamp, body: bytes = BODY, signature: bytes = SIGNATURE, workers: Workers | None = None) -> None:
    challenge = stamps.challenge(stamp.anchor_height, stamp.anchor_hash, body, signature)
    stamps.check_work(stamp, challenge, MEMORY, workers or InlineWorkers())


def test_good_stamp_passes(good: Stamp) -> None:
    check(good)
    with ThreadWorkers(3) as workers:
        check(good, workers=workers)


def test_challenge_and_puzzles_are_what_the_rules_say() -> None:
    fields = (720).to_bytes(4, "big") + b"8 bytes!" + BODY + SIGNATURE
    challenge = blake2b(fields, digest_size=32, person=b"stamp".ljust(16, b"\0")).digest()
    assert stamps.challenge(*ANCHOR, BODY, SIGNATURE) == challenge
    for nonce in range(64):
        password = challenge + b"\x05" + nonce.to_bytes(8, "big")
        digest = hash_secret_raw(password, b"meshchain-stamp1", 1, 8, 1, 32, Type.ID, 19)
        zeros = 256 - int.from_bytes(digest, "big").bit_length()
        assert [stamps.meets(challenge, 5, nonce, bits, 8) for bits in range(9)] == [bits <= zeros for bits in range(9)]


def refusal(good: Stamp, body: bytes = BODY, signature: bytes = SIGNATURE) -> dict[str, object]:
    with pytest.raises(RuleError) as caught:
        check(good, body, signature)
    assert caught.value.code == "stamp-work"
    return dict(caught.value.detail)


@pytest.mark.parametrize("index", range(8))
def test_each_nonce_is_checked(good: Stamp, index: int) -> None:
    nonces = list(good.nonces)
    nonces[index] += 1
    assert refusal(replace(good, nonces=tuple(nonces))) == {"index": index, "bits": BITS}


@pytest.mark.parametrize("index", range(8))
def test_each_nonce_is_checked_on_threads(good: Stamp, index: int) -> None:
    nonces = list(good.nonces)
    nonces[index] += 1
    with ThreadWorkers(3) as workers, pytest.raises(RuleError) as caught:
        check(replace(good, nonces=tuple(nonces)), workers=workers)
    assert caught.value.detail["index"] == index


def test_nonces_belong_to_their_puzzle(good: Stamp) -> None:
    refusal(replace(good, nonces=good.nonces[1:] + good.nonces[:1]))


def test_anchor_body_and_signature_are_covered(good: Stamp) -> None:
    refusal(replace(good, anchor_height=0))
    refusal(replace(good, anchor_hash=b"8 bytes?"))
    refusal(good, body=b"the Body")
    refusal(good, signature=b"t" + b"s" * 63)
    refusal(good, signature=b"")


@pytest.mark.parametrize("bits", [BITS + 5, 64, 65, 256, 257, 10**6, U64])
def test_bits_claimed_without_work(good: Stamp, bits: int) -> None:
    refusal(replace(good, bits=bits))


def test_bits_must_lie_between_minimum_and_64(mesh: Consensus, good: Stamp) -> None:
    for bits, passes in ((0, False), (8, False), (9, True), (64, True), (65, False), (U64, False)):
        stamp = replace(good, bits=bits)
        if passes:
            stamps.check_bits(stamp, mesh, "update", None)
            continue
        with pytest.raises(RuleError) as caught:
            stamps.check_bits(stamp, mesh, "update", None)
        assert (caught.value.code, caught.value.detail) == ("stamp-bits", {"minimum": 9, "bits": bits})


def test_minimum_bits() -> None:
    mesh, dev = params.load("mesh").consensus, params.load("dev").consensus
    kinds = {"commit": 8, "update": 9, "renew": 11, "transfer": 9, "revoke": 6}
    assert {kind: stamps.minimum_bits(mesh, kind, "a") for kind in kinds} == kinds
    names = {"a": 18, "ab": 17, "alice": 14, "alice7": 13, "alice77": 13, "x" * 63: 13}
    assert {name: stamps.minimum_bits(mesh, "reveal", name) for name in names} == names
    assert {stamps.minimum_bits(dev, kind, "a") for kind in params.KINDS} == {0}
    with pytest.raises(ValueError, match="name"):
        stamps.minimum_bits(mesh, "reveal", None)


@pytest.mark.parametrize(
    ("height", "anchors"),
    [
        (0, (0, 0)),
        (719, (0, 0)),
        (1439, (0, 0)),
        (1440, (720, 0)),
        (2159, (720, 0)),
        (2160, (1440, 720)),
        (7200, (6480, 5760)),
    ],
)
def test_anchor_heights(mesh: Consensus, height: int, anchors: tuple[int, int]) -> None:
    assert stamps.anchor_heights(mesh, height) == anchors


@given(st.integers(0, 10**7), st.integers(1, 2000))
def test_a_stamp_on_the_newer_anchor_stays_good_for_a_grid(height: int, grid: int) -> None:
    consensus = replace(params.load("mesh").consensus, stamp_grid=grid)
    newer, older = stamps.anchor_heights(consensus, height)
    assert older <= newer <= max(0, height - grid)
    assert newer in stamps.anchor_heights(consensus, height + grid)
    assert newer == 0 or newer not in stamps.anchor_heights(consensus, height + 2 * grid)


def test_a_worthless_stamp_costs_one_hash(good: Stamp) -> None:
    workers = CountingWorkers()
    with pytest.raises(RuleError):
        check(replace(good, nonces=(good.nonces[0] + 1, *good.nonces[1:])), workers=workers)
    assert workers.calls == 1
    check(good, workers=workers)
    assert workers.calls == 1 + 8


def test_round_trip(good: Stamp) -> None:
    encoded = codec.encode(good.to_value())
    assert Stamp.from_value(codec.decode(encoded)) == good
    most = Stamp(2**32 - 1, b"\xff" * 8, 64, (U64,) * 8)
    assert len(codec.encode(most.to_value())) == 1 + 5 + 9 + 2 + 1 + 8 * 9
    assert Stamp.from_value(codec.decode(codec.encode(most.to_value()))) == most


SHAPED: list[codec.Value] = [1, b"8 bytes!", 2, [0, 1, 2, 3, 4, 5, 6, 7]]


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, 2**32),
        (0, -1),
        (0, True),
        (0, None),
        (1, b"7 bytes"),
        (1, b"9 bytes!!"),
        (1, "8 bytes!"),
        (2, 2**64),
        (2, False),
        (2, "2"),
        (3, [0] * 7),
        (3, [0] * 9),
        (3, [0] * 7 + [2**64]),
        (3, [0] * 7 + [True]),
        (3, b"8 bytes!"),
        (3, None),
    ],
)
def test_each_field_is_checked(at: int, value: codec.Value) -> None:
    Stamp.from_value(SHAPED)
    wrong = list(SHAPED)
    wrong[at] = value
    with pytest.raises(CodecError) as caught:
        Stamp.from_value(wrong)
    assert caught.value.code == "stamp-shape"


def stamp_or_code(value: codec.Value) -> Stamp | str:
    try:
        return Stamp.from_value(value)
    except CodecError as error:
        return error.code


@given(VALUES | st.lists(VALUES, min_size=3, max_size=5))
def test_any_value_is_a_stamp_or_a_shape_error(value: codec.Value) -> None:
    result = stamp_or_code(value)
    assert result == "stamp-shape" or (isinstance(result, Stamp) and result.to_value() == value)


def test_real_cost(mesh: Consensus) -> None:
    """1 MiB a hash, as on the networks that people use."""
    stamp = make_stamp(*ANCHOR, BODY, b"", 2, mesh.pow_memory_kib)
    challenge = stamps.challenge(*ANCHOR, BODY, b"")
    stamps.check_work(stamp, challenge, mesh.pow_memory_kib, InlineWorkers())
    with pytest.raises(RuleError):
        stamps.check_work(stamp, challenge, mesh.pow_memory_kib // 2, InlineWorkers())
