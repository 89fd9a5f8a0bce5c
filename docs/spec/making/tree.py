"""tree.json: state roots of small sets, proofs of presence and of both kinds of absence, refused proofs."""

from collections.abc import Iterable, Iterator
from typing import Final

from docs.spec.making.values import Document, Json, secret
from meshchain.crypto import ecdsa_public_key
from meshchain.ledger import codec, tree
from meshchain.ledger.codec import Value
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.tree import entry_hash, name_key

_NAMES: Final = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi")
Proof = tuple[int, bytes, bytes, Value]
"""depth, bitmap, siblings, end"""


def entry(name: str) -> NameEntry:
    """An entry whose fields differ from name to name; what a record says does not matter to the tree."""
    return NameEntry(
        owner=ecdsa_public_key(secret(f"owner {name}")),
        reg=secret(f"reg {name}")[:16],
        record={"dns": [["", "TXT", 300, name]]},
        address=None if name < "d" else b"\xee\xee" + bytes(13) + name.encode()[:1],
        seq=len(name),
        registered=1000 + len(name),
        expires=263_800 + len(name),
        revoked=name == "heidi",
    )


class State:
    """Entries and the nodes of their tree; ``leaves`` adds leaves whose keys no name is known for."""

    def __init__(self, names: Iterable[str], leaves: dict[bytes, bytes] | None = None) -> None:
        self.entries = {name: entry(name).encode() for name in names}
        self.leaves = {name_key(name): entry_hash(value) for name, value in self.entries.items()} | (leaves or {})
        self.nodes: dict[bytes, bytes] = {}
        self.root = tree.build(sorted(self.leaves.items()), self.nodes.__setitem__)

    def prove(self, name: str) -> bytes:
        return tree.prove(self.root, name, self.nodes.__getitem__, self.entries.get)


def document() -> Document:
    return {
        "entries": [_entry(name) for name in _NAMES],
        "roots": [_named(_NAMES[:count]) for count in range(len(_NAMES) + 1)],
        "leaf_roots": [_raw(why, leaves) for why, leaves in _shapes()],
        "proofs": [_proof(state, name) for state, name in _questions()],
        "refused": [_refusal(*case) for case in _refused()],
    }


def _entry(name: str) -> Json:
    encoded = entry(name).encode()
    key, hashed = name_key(name), entry_hash(encoded)
    return {
        "name": name,
        "entry": encoded.hex(),
        "key": key.hex(),
        "entry_hash": hashed.hex(),
        "leaf_hash": tree.leaf_hash(key, hashed).hex(),
    }


def _named(names: tuple[str, ...]) -> Json:
    return {"names": names, "root": State(names).root.hex()}


def _raw(why: str, leaves: dict[bytes, bytes]) -> Json:
    listed = [[key.hex(), value.hex()] for key, value in sorted(leaves.items())]
    return {"why": why, "leaves": listed, "root": State((), leaves).root.hex()}


def _shapes() -> Iterator[tuple[str, dict[bytes, bytes]]]:
    value = secret("entry hash")
    yield "keys that differ in the last bit: 256 steps", {bytes(32): value, bytes(31) + b"\1": value}
    yield "keys that differ in the first bit", {bytes(32): value, b"\x80" + bytes(31): value}
    yield (
        "one leaf at depth 1, two at depth 9",
        {
            b"\x80" + bytes(31): value,
            bytes(32): value,
            b"\0\x80" + bytes(30): value,
        },
    )


def neighbour(name: str, shared: int) -> bytes:
    """A key that shares exactly ``shared`` leading bits with the name's."""
    return (int.from_bytes(name_key(name), "big") ^ 1 << (255 - shared)).to_bytes(32, "big")


def _questions() -> Iterator[tuple[State, str]]:
    full = State(_NAMES)
    yield State(()), "alice"
    yield State(("alice",)), "alice"
    yield State(("alice",)), "bob"
    for name in (*_NAMES, "mallory", "oscar", "peggy", "trent", "victor", "walter"):
        yield full, name
    deep = State(("alice", "bob"), {neighbour("alice", 20): secret("deep"), neighbour("alice", 255): secret("deepest")})
    yield deep, "alice"
    yield deep, "bob"
    yield State(("bob",), {neighbour("alice", 20): secret("a"), neighbour("alice", 25): secret("b")}), "alice"


def _proof(state: State, name: str) -> Json:
    proof = state.prove(name)
    present = state.entries.get(name)
    return {
        "root": state.root.hex(),
        "name": name,
        "entry": None if present is None else present.hex(),
        "end": "entry" if present else ("null" if _parts(proof)[3] is None else "other"),
        "proof": proof.hex(),
    }


def _parts(proof: bytes) -> Proof:
    value = codec.decode(proof)
    assert isinstance(value, list)
    depth, bitmap, siblings, end = value
    assert isinstance(depth, int)
    assert isinstance(bitmap, bytes)
    assert isinstance(siblings, bytes)
    return depth, bitmap, siblings, end


def _refusal(why: str, code: str, root: bytes, name: str, proof: bytes) -> Json:
    return {"why": why, "code": code, "root": root.hex(), "name": name, "proof": proof.hex()}


def _refused() -> Iterator[tuple[str, str, bytes, str, bytes]]:
    state = State(_NAMES)
    root, proof = state.root, state.prove("alice")
    yield "a root of 31 bytes", "root-size", root[:31], "alice", proof
    yield "not a name", "name-alphabet", root, "Alice", proof
    yield "another root", "root", State(("alice", "bob")).root, "alice", proof
    yield "another name, nothing else changed", "root", root, "bob", proof
    yield "another entry", "root", root, "alice", _changed(proof, end=entry("bob").encode())
    yield "one bit of a sibling", "root", root, "alice", _changed(proof, siblings=_flip(_parts(proof)[2]))
    yield "a byte follows", "encoding", root, "alice", proof + b"\0"
    yield "cut", "encoding", root, "alice", proof[:-1]
    yield "empty", "encoding", root, "alice", b""
    for why, code, changed in _misshapen(proof):
        yield why, code, root, "alice", changed
    absent = next(name for name in ("mallory", "oscar", "peggy", "trent") if isinstance(_end(state, name), list))
    for why, code, changed in _wrong_others(state, absent):
        yield why, code, root, absent, changed


def _end(state: State, name: str) -> Value:
    return _parts(state.prove(name))[3]


def _misshapen(proof: bytes) -> Iterator[tuple[str, str, bytes]]:
    depth, bitmap, siblings, end = _parts(proof)
    yield "not an array", "shape", codec.encode({})
    yield "three items", "shape", codec.encode([depth, bitmap, siblings])
    yield "depth is true", "shape", codec.encode([True, bitmap, siblings, end])
    yield "bitmap is text", "shape", codec.encode([depth, "", siblings, end])
    yield "siblings is an array", "shape", codec.encode([depth, bitmap, [siblings], end])
    yield "257 steps", "depth", codec.encode([257, bytes(33), siblings, end])
    yield "a byte too many in the bitmap", "bitmap-size", codec.encode([depth, bitmap + b"\0", siblings, end])
    yield "a byte too few in the bitmap", "bitmap-size", codec.encode([depth, bitmap[:-1], siblings, end])
    padded = bitmap[:-1] + bytes((bitmap[-1] | 1,))
    yield "a bit beyond the depth", "bitmap-padding", codec.encode([depth, padded, siblings, end])
    yield "an end beside an empty sibling", "lone-end", codec.encode([8, b"\x80", siblings[:32], end])
    yield "a sibling too few", "sibling-count", codec.encode([depth, bitmap, siblings[:-32], end])
    yield "a sibling too many", "sibling-count", codec.encode([depth, bitmap, siblings + bytes(32), end])
    yield "an empty sibling listed", "sibling-empty", codec.encode([1, b"\x80", bytes(32), end])
    yield "the end is an integer", "end-shape", codec.encode([depth, bitmap, siblings, 0])
    yield "the end is false", "end-shape", codec.encode([depth, bitmap, siblings, False])
    yield "the other leaf has one item", "end-shape", codec.encode([depth, bitmap, siblings, [bytes(32)]])
    yield "the other leaf's key has 31 bytes", "end-shape", codec.encode([depth, bitmap, siblings, [bytes(31)] * 2])
    yield "the other leaf's key is text", "end-shape", codec.encode([depth, bitmap, siblings, ["", bytes(32)]])
    yield "the entry is no entry", "entry", codec.encode([depth, bitmap, siblings, b"\xa0"])
    for why, wrong in _bad_entries():
        yield f"entry: {why}", "entry", codec.encode([depth, bitmap, siblings, wrong])
    own: Value = [name_key("alice"), entry_hash(entry("alice").encode())]
    yield "the name's own leaf as another's", "other-key-same", codec.encode([depth, bitmap, siblings, own])


def _bad_entries() -> Iterator[tuple[str, bytes]]:
    good = codec.decode(entry("alice").encode())
    assert isinstance(good, dict)
    yield "an unknown key", codec.encode(good | {"x": 0})
    yield "no owner", codec.encode({key: value for key, value in good.items() if key != "owner"})
    yield "revoked is 0", codec.encode(good | {"revoked": 0})
    yield "an address of 15 bytes", codec.encode(good | {"address": bytes(15)})
    yield "expires is 2^32", codec.encode(good | {"expires": 2**32})
    yield "not canonical", entry("alice").encode() + b"\0"


def _wrong_others(state: State, absent: str) -> Iterator[tuple[str, str, bytes]]:
    proof = state.prove(absent)
    end = _end(state, absent)
    assert isinstance(end, list)
    yield (
        "another leaf that does not lie on the path",
        "other-key-elsewhere",
        _changed(proof, end=[neighbour(absent, 0), end[1]]),
    )
    last = _parts(proof)[0] - 1
    yield (
        "another leaf that leaves the path at the last step",
        "other-key-elsewhere",
        _changed(proof, end=[neighbour(absent, last), end[1]]),
    )
    yield "another entry hash", "root", _changed(proof, end=[end[0], secret("x")])
    yield "nothing there instead of the other leaf", "root", _changed(proof, end=None)


_KEEP: Final = object()


def _changed(proof: bytes, *, siblings: bytes | None = None, end: object = _KEEP) -> bytes:
    depth, bitmap, old_siblings, old_end = _parts(proof)
    new_end: Value = old_end if end is _KEEP else end  # type: ignore[assignment]
    return codec.encode([depth, bitmap, siblings or old_siblings, new_end])


def _flip(data: bytes) -> bytes:
    return bytes((data[0] ^ 1,)) + data[1:]
