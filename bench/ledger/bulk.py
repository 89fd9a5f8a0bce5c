"""A store with very many names, made without making their blocks.

Writes what connecting the registrations would have left of the state (entries, their indexes, the tree, the
operation and history rows) and one header that commits to it. ``differences`` holds the result against a store
that real blocks have made from the same names.
"""

import random
from collections.abc import Iterable, Iterator
from itertools import islice

from meshchain.crypto.address import node_address
from meshchain.ledger import compact, difficulty, tree
from meshchain.ledger.block import encode_body
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.chain.index import Flag, IndexEntry
from meshchain.ledger.chain.statedb import Changes
from meshchain.ledger.entry import NameEntry, Record
from meshchain.ledger.header import Header, operations_root
from meshchain.ledger.record import host_keys
from meshchain.ledger.store import Reader, Store, layout

_BATCH = 2000
STATE = (layout.ENTRY, layout.EXPIRY, layout.ADDRESS, layout.NODE, layout.HOST_KEY)
"""What the entries alone determine."""

Named = tuple[str, NameEntry]


def random_entries(number: int, registered: int, expires: int) -> Iterator[Named]:
    """Entries of the usual size: one host with its proof, one TXT record. Keys and proofs are random bytes."""
    rng = random.Random(number)
    for index in range(number):
        key = rng.randbytes(32)
        host: Record = {"label": "", "key": key, "ip6": node_address(key), "zone": 0, "proof": rng.randbytes(64)}
        record: Record = {"hosts": [host], "dns": [["", "TXT", 600, f"name number {index}"]]}
        name = f"{rng.randbytes(3).hex()}-{index}"
        owner = b"\2" + rng.randbytes(32)
        yield name, NameEntry(owner, rng.randbytes(16), record, None, 0, registered, expires, revoked=False)


def write_names(store: Store, entries: Iterable[Named]) -> bytes:
    """Write entries, indexes and tree; the state root. Keeps 64 bytes a name in memory while the tree is built."""
    leaves: list[tuple[bytes, bytes]] = []
    source = iter(entries)
    while chunk := list(islice(source, _BATCH)):
        changes: Changes = {}
        for name, entry in chunk:
            encoded = entry.encode()
            _write_entry(changes, name, entry, encoded)
            leaves.append((tree.name_key(name), tree.entry_hash(encoded)))
        store.write(changes, sync=False)
    leaves.sort()
    writer = _NodeWriter(store)
    root = tree.build(leaves, writer.put)
    writer.flush()
    return root


def write_history(store: Store, names: Iterable[str], genesis: bytes) -> None:
    """One registration's operation and history rows for each name."""
    rng = random.Random(genesis)
    source = enumerate(names)
    while chunk := list(islice(source, _BATCH)):
        changes: Changes = {}
        for index, name in chunk:
            opid, height, place = rng.randbytes(32), 1 + index // 50, index % 50
            changes[layout.operation(opid, height, place)] = b""
            changes[layout.history(name, height, place)] = opid
        store.write(changes, sync=False)


def cap(chain: Chain, root: bytes) -> None:
    """Put a block on genesis whose state root is ``root``, as the tip; its body is empty, its work not made."""
    c, genesis = chain.params.consensus, chain.tip
    time = genesis.header.time + c.spacing
    bits = difficulty.next_bits(c, genesis.difficulty, time)
    header = Header(1, 1, genesis.id, operations_root(()), root, time, bits, 0)
    state = difficulty.advance(c, genesis.difficulty, time, bits)
    entry = IndexEntry(header.id, header, compact.work(bits), state, Flag.BODY | Flag.CHAINED)
    changes: Changes = dict(chain.index.changes_for_new(entry))
    changes |= {layout.BODY + entry.id: encode_body(()), layout.main(1): entry.id, layout.TIP: entry.id}
    chain.store.write(changes)


def differences(fast: Reader, slow: Reader) -> list[str]:
    """Prefixes of the state under which the two stores differ."""
    return [prefix.decode() for prefix in STATE if list(fast.items(prefix)) != list(slow.items(prefix))]


class _NodeWriter:
    """Tree nodes in batches."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changes: Changes = {}

    def put(self, digest: bytes, node: bytes) -> None:
        self._changes[layout.NODE + digest] = node
        if len(self._changes) >= 10 * _BATCH:
            self.flush()

    def flush(self) -> None:
        self._store.write(self._changes, sync=False)
        self._changes = {}


def _write_entry(changes: Changes, name: str, entry: NameEntry, encoded: bytes) -> None:
    changes[layout.ENTRY + name.encode()] = encoded
    changes[layout.expiry(entry.expires, name)] = b""
    if entry.address is not None:
        changes[layout.ADDRESS + entry.address] = name.encode()
    changes.update((layout.host_key(key, name), b"") for key in host_keys(entry.record))
