"""Proofs that must not hold: every byte changed, every form that is not the one canonical form, any bytes."""

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger import codec
from meshchain.ledger.errors import ProofError
from meshchain.ledger.proof import verify_proof
from meshchain.ledger.tree import name_key
from meshchain.ledger.tree.nodes import bit_at
from tests.ledger.tree.states import State, flipped, state_of

STATE = state_of(f"name-{index}" for index in range(40))


def ends_with(kind: type) -> str:
    """An absent name whose proof ends in null or in another leaf."""
    candidates = (f"absent-{index}" for index in count())
    return next(name for name in candidates if isinstance(parts(STATE.prove(name))[3], kind))


def parts(proof: bytes) -> list[codec.Value]:
    value = codec.decode(proof)
    assert isinstance(value, list)
    return value


PRESENT, BESIDE_NOTHING, BESIDE_LEAF = "name-7", ends_with(type(None)), ends_with(list)
SAMPLES = {"present": PRESENT, "beside nothing": BESIDE_NOTHING, "beside a leaf": BESIDE_LEAF}
KINDS = pytest.mark.parametrize("name", SAMPLES.values(), ids=SAMPLES.keys())


def refusal(proof: bytes, name: str, state: State = STATE) -> ProofError:
    with pytest.raises(ProofError) as caught:
        verify_proof(proof, state.root, name)
    return caught.value


@KINDS
def test_the_samples_hold_as_they_are(name: str) -> None:
    assert verify_proof(STATE.prove(name), STATE.root, name) == STATE.entries.get(name)


@KINDS
def test_every_flipped_bit_is_refused(name: str) -> None:
    proof = STATE.prove(name)
    for position in range(8 * len(proof)):
        changed = bytearray(proof)
        changed[position >> 3] ^= 1 << (position & 7)
        refusal(bytes(changed), name)


@KINDS
def test_every_truncation_removal_and_repetition_is_refused(name: str) -> None:
    proof = STATE.prove(name)
    for at in range(len(proof)):
        assert refusal(proof[:at], name).code == "encoding"
        refusal(proof[:at] + proof[at + 1 :], name)
        refusal(proof[:at] + proof[at : at + 1] + proof[at:], name)


@KINDS
@given(extra=st.binary(min_size=1, max_size=40))
def test_every_extension_is_refused(name: str, extra: bytes) -> None:
    error = refusal(STATE.prove(name) + extra, name)
    assert (error.code, error.detail) == ("encoding", {"rule": "trailing-bytes"})


@KINDS
def test_every_flipped_bit_of_the_root_is_refused(name: str) -> None:
    for position in range(256):
        with pytest.raises(ProofError) as caught:
            verify_proof(STATE.prove(name), flipped(STATE.root, position), name)
        assert caught.value.code == "root"


Change = Callable[[int, bytes, bytes], list[codec.Value]]
MALFORMED: dict[str, tuple[str, Change]] = {
    "depth is text": ("shape", lambda d, b, s: ["1", b, s]),
    "depth is true": ("shape", lambda d, b, s: [True, b, s]),
    "bitmap is a list": ("shape", lambda d, b, s: [d, list(b), s]),
    "siblings are a list": ("shape", lambda d, b, s: [d, b, [s]]),
    "257 steps": ("depth", lambda d, b, s: [257, bytes(32) + b"\x80", s]),
    "2^64 - 1 steps": ("depth", lambda d, b, s: [2**64 - 1, b, s]),
    "no bitmap": ("bitmap-size", lambda d, b, s: [d, b"", s]),
    "a byte of bitmap too many": ("bitmap-size", lambda d, b, s: [d, b + b"\0", s]),
    "a bit beyond the depth": ("bitmap-padding", lambda d, b, s: [d, b[:-1] + bytes([b[-1] | 1]), s]),
    "a step below a lone end": ("lone-end", lambda d, b, s: [d + 1, b, s]),
    "a byte of sibling too few": ("sibling-count", lambda d, b, s: [d, b, s[:-1]]),
    "a sibling too many": ("sibling-count", lambda d, b, s: [d, b, s + s[:32]]),
    "a sibling too few": ("sibling-count", lambda d, b, s: [d, b, s[32:]]),
    "an empty sibling listed": ("sibling-empty", lambda d, b, s: [d, b, bytes(32) + s[32:]]),
    "siblings exchanged": ("root", lambda d, b, s: [d, b, s[32:64] + s[:32] + s[64:]]),
}


@KINDS
@pytest.mark.parametrize(("code", "change"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_path_is_refused_by_its_rule(name: str, code: str, change: Change) -> None:
    depth, bitmap, siblings, end = parts(STATE.prove(name))
    assert isinstance(depth, int)
    assert isinstance(bitmap, bytes)
    assert isinstance(siblings, bytes)
    assert depth % 8, "the sample has room for padding"
    assert refusal(codec.encode([*change(depth, bitmap, siblings), end]), name).code == code


@pytest.mark.parametrize("value", [None, 4, b"", {}, [], [0, b"", b""], [0, b"", b"", None, None]])
def test_what_is_no_array_of_four_is_refused(value: codec.Value) -> None:
    assert refusal(codec.encode(value), PRESENT).code == "shape"


KEY = name_key(BESIDE_LEAF)
ENDS: dict[str, tuple[str, codec.Value]] = {
    "true": ("end-shape", True),
    "a number": ("end-shape", 0),
    "text": ("end-shape", "entry"),
    "a map": ("end-shape", {}),
    "no item": ("end-shape", []),
    "three items": ("end-shape", [flipped(KEY, 255), bytes(32), bytes(32)]),
    "a short key": ("end-shape", [KEY[:31], bytes(32)]),
    "a long entry hash": ("end-shape", [flipped(KEY, 255), bytes(33)]),
    "text as key": ("end-shape", ["k" * 32, bytes(32)]),
    "null as entry hash": ("end-shape", [flipped(KEY, 255), None]),
    "the name's own key": ("other-key-same", [KEY, bytes(32)]),
    "a key that parts at the root": ("other-key-elsewhere", [flipped(KEY, 0), bytes(32)]),
    "a leaf that is not there": ("root", [flipped(KEY, 255), bytes(32)]),
    "no entry at all": ("entry", b""),
    "an entry with a byte more": ("entry", STATE.entries[PRESENT].encode() + b"\0"),
    "an entry with no keys": ("entry", codec.encode({})),
    "an entry in long form": ("entry", b"\xb8\x08" + STATE.entries[PRESENT].encode()[1:]),
    "another name's entry": ("root", STATE.entries[PRESENT].encode()),
    "nothing": ("root", None),
}


@pytest.mark.parametrize(("code", "end"), ENDS.values(), ids=ENDS.keys())
def test_a_bad_end_is_refused_by_its_rule(code: str, end: codec.Value) -> None:
    path = parts(STATE.prove(BESIDE_LEAF))[:3]
    assert refusal(codec.encode([*path, end]), BESIDE_LEAF).code == code


def test_another_leaf_must_share_the_whole_path() -> None:
    """Not only the bits above the last step: a leaf across it is a sibling, not the end."""
    depth, *path, end = parts(STATE.prove(BESIDE_LEAF))
    assert isinstance(depth, int)
    assert isinstance(end, list)
    assert isinstance(end[0], bytes)
    assert all(bit_at(end[0], step) == bit_at(KEY, step) for step in range(depth))
    across: list[codec.Value] = [flipped(KEY, depth - 1), end[1]]
    assert refusal(codec.encode([depth, *path, across]), BESIDE_LEAF).code == "other-key-elsewhere"


@pytest.mark.parametrize(("depth", "bitmap"), [(1, b"\0"), (8, b"\xfe"), (9, b"\xff\0"), (256, bytes(32))])
@pytest.mark.parametrize("end", [None, [flipped(KEY, 255), bytes(32)], STATE.entries[PRESENT].encode()])
def test_an_end_beside_an_empty_sibling_is_refused(depth: int, bitmap: bytes, end: codec.Value) -> None:
    siblings = b"s" * 32 * int.from_bytes(bitmap, "big").bit_count()
    assert refusal(codec.encode([depth, bitmap, siblings, end]), BESIDE_LEAF).code == "lone-end"


values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.binary(max_size=70) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
proof_like = st.builds(
    lambda *items: codec.encode(list(items)),
    st.integers(0, 257),
    st.binary(max_size=33),
    st.integers(0, 9).map(lambda n: b"s" * 32 * n),
    st.one_of(st.none(), st.binary(max_size=64), st.lists(st.binary(min_size=32, max_size=32), max_size=3)),
)


@given(st.one_of(st.binary(max_size=400), values.map(codec.encode), proof_like))
def test_any_bytes_are_refused_as_a_proof_error(data: bytes) -> None:
    refusal(data, PRESENT)


@KINDS
@given(data=st.data())
def test_a_proof_with_any_stretch_replaced_is_refused(name: str, data: st.DataObject) -> None:
    proof = STATE.prove(name)
    start = data.draw(st.integers(0, len(proof)))
    end = data.draw(st.integers(start, len(proof)))
    changed = proof[:start] + data.draw(st.binary(max_size=48)) + proof[end:]
    if changed != proof:
        refusal(changed, name)
