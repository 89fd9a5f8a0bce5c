"""Verify what a node says of a name against a state root, with the standard library alone.

The proof's form stands in ``meshchain.ledger.tree.proving``, which makes it. It is read here as from an
adversary: exactly one byte string proves one fact about one tree, so that proofs can be compared, cached and
counted by their bytes, and whatever is not that string is refused by the rule it breaks. A node cannot pose
as a leaf, since the two are hashed under different tags (RFC 6962 §2.1 has prefix bytes for that), and an end
beside an empty sibling (a leaf hung deeper than it belongs, or nothing below nothing) is refused.

Verification costs one hash per step, at most 256, and time and memory linear in the proof's size.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from meshchain.ledger import codec
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.errors import CodecError, ProofError, RuleError
from meshchain.ledger.names import check_name
from meshchain.ledger.tree.nodes import EMPTY, KEY_BITS, bit_at, entry_hash, inner_hash, leaf_hash, name_key

_Siblings: TypeAlias = list[bytes]
"""Root first, one for each step, EMPTY included."""

HASH_SIZE: Final = 32


def verify_proof(proof: bytes, state_root: bytes, name: str) -> NameEntry | None:
    """Return the entry of ``name`` in the state of ``state_root`` (32 bytes), or None: it has none.

    Raises ProofError for everything else; its code is the rule that failed, "root" if the proof is well
    formed but of another state or another name, or the broken name rule for a string that is no name (a
    state says nothing of those). The caller holds a header with this root: the name resolves only if the
    entry is not revoked, and it is in grace once the header's height reaches ``expires``.
    """
    _check_question(state_root, name)
    siblings, end = _parse(proof)
    key = name_key(name)
    digest, entry = _read_end(end, key, len(siblings))
    if _climb(key, siblings, digest) != state_root:
        raise ProofError("root", "the proof does not lead to the state root")
    return entry


def _check_question(state_root: bytes, name: str) -> None:
    if len(state_root) != HASH_SIZE:
        raise ProofError("root-size", f"a state root has {HASH_SIZE} bytes, this one has {len(state_root)}")
    try:
        check_name(name)
    except RuleError as error:
        raise ProofError(error.code, error.message) from None


def _climb(key: bytes, siblings: _Siblings, digest: bytes) -> bytes:
    """The root of the tree in which ``siblings`` line the path from ``digest`` up."""
    for depth in reversed(range(len(siblings))):
        sibling = siblings[depth]
        digest = inner_hash(sibling, digest) if bit_at(key, depth) else inner_hash(digest, sibling)
    return digest


def _parse(proof: bytes) -> tuple[_Siblings, codec.Value]:
    """Return the siblings and the undigested end."""
    try:
        value = codec.decode(proof)
    except CodecError as error:
        raise ProofError("encoding", f"not canonical CBOR: {error.message}", rule=error.code) from None
    if not isinstance(value, list) or len(value) != 4:
        raise ProofError("shape", "a proof is an array of four items")
    depth, bitmap, joined, end = value
    if isinstance(depth, bool) or not isinstance(depth, int):
        raise ProofError("shape", "the depth must be an integer")
    if not isinstance(bitmap, bytes) or not isinstance(joined, bytes):
        raise ProofError("shape", "bitmap and siblings must be byte strings")
    return _read_siblings(_read_bitmap(depth, bitmap), joined), end


def _read_bitmap(depth: int, bitmap: bytes) -> str:
    """Return '1' or '0' for each step."""
    if depth > KEY_BITS:
        raise ProofError("depth", f"a path has at most {KEY_BITS} steps")
    if len(bitmap) != -(-depth // 8):
        raise ProofError("bitmap-size", "the bitmap must have a bit for each step, in whole bytes")
    bits = "".join(f"{byte:08b}" for byte in bitmap)
    if "1" in bits[depth:]:
        raise ProofError("bitmap-padding", "bits beyond the depth must be zero")
    if depth and bits[depth - 1] == "0":
        raise ProofError("lone-end", "an end beside an empty sibling would lie higher up")
    return bits[:depth]


def _read_siblings(bits: str, joined: bytes) -> _Siblings:
    if len(joined) != HASH_SIZE * bits.count("1"):
        raise ProofError("sibling-count", "there must be one hash for each bit that is set")
    hashes = [joined[at : at + HASH_SIZE] for at in range(0, len(joined), HASH_SIZE)]
    if EMPTY in hashes:
        raise ProofError("sibling-empty", "an empty sibling is left out, not listed")
    listed = iter(hashes)
    return [next(listed) if bit == "1" else EMPTY for bit in bits]


def _read_end(end: codec.Value, key: bytes, depth: int) -> tuple[bytes, NameEntry | None]:
    """Return the hash of the subtree at the end of the path, and the entry if it is the name's own leaf."""
    if end is None:
        return EMPTY, None
    if isinstance(end, bytes):
        return leaf_hash(key, entry_hash(end)), _read_entry(end)
    if isinstance(end, list):
        return leaf_hash(*_read_other(end, key, depth)), None
    raise ProofError("end-shape", "the end must be null, an entry, or another leaf")


def _read_entry(encoded: bytes) -> NameEntry:
    try:
        return NameEntry.decode(encoded)
    except CodecError as error:
        raise ProofError("entry", f"not the encoding of an entry: {error.message}", rule=error.code) from None


def _read_other(end: Sequence[codec.Value], key: bytes, depth: int) -> tuple[bytes, bytes]:
    """The (key, entry hash) of another name's leaf where that of ``key`` would lie."""
    if len(end) != 2:
        raise ProofError("end-shape", "another leaf is a key and an entry hash")
    other, entry = end
    if not isinstance(other, bytes) or not isinstance(entry, bytes):
        raise ProofError("end-shape", "key and entry hash must be byte strings")
    if len(other) != HASH_SIZE or len(entry) != HASH_SIZE:
        raise ProofError("end-shape", f"key and entry hash have {HASH_SIZE} bytes each")
    if other == key:
        raise ProofError("other-key-same", "the name's own leaf does not prove its absence")
    if any(bit_at(other, step) != bit_at(key, step) for step in range(depth)):
        raise ProofError("other-key-elsewhere", "the other leaf does not lie on the name's path")
    return other, entry
