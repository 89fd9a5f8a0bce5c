"""What the chain says of a node key: which name vouches for it, since when, and what it may therefore do.

A key is *bound* by every living name whose record lists it as a host. It forwards once one of them has listed it
without a break for ``mesh_bind_depth`` blocks, the tip included: what a small reorg could undo is not relied upon.
(A renewal, or an update that keeps the host, is no break.) A key that only revoked names list is barred while their
entries are there.
"""

from collections.abc import Iterable, Iterator

from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.operations import Reveal, Transfer, Update
from meshchain.ledger.record import host_keys, hosts, primary_key
from meshrouter.directory import Binding, Role


def binding_of(view: ChainView, key: bytes) -> Binding:
    """For a 32-byte node key."""
    listed = _listed(view, key)
    living = [(name, entry) for name, entry in listed if not entry.revoked]
    if not living:
        return Binding(key, Role.BARRED if listed else Role.GUEST)
    deep = [(name, entry) for name, entry in living if _is_deep(view, name, key)]
    name, entry = (deep or living)[0]
    label, zone = _host(entry, key)
    return Binding(
        key,
        Role.MEMBER if deep else Role.GUEST,
        f"{label}.{name}" if label else name,
        next(_claims(living, key), None),
        zone,
    )


def own_addresses(view: ChainView, key: bytes) -> tuple[bytes, ...]:
    """The claimed addresses (16 bytes each) of the living names whose primary host the key is, in order of name."""
    return tuple(_claims(_listed(view, key), key))


def holder_of(view: ChainView, address: bytes) -> bytes | None:
    """The node key that holds a claimed address: its name's primary host; None if nobody does."""
    name = view.state.holder(address)
    entry = None if name is None else view.entry(name)
    return None if entry is None or entry.revoked else primary_key(entry.record)


def _listed(view: ChainView, key: bytes) -> list[tuple[str, NameEntry]]:
    """Names whose record lists the key, revoked ones included, in order."""
    return [(name, entry) for name in view.names_with_key(key) if (entry := view.entry(name)) is not None]


def _claims(listed: Iterable[tuple[str, NameEntry]], key: bytes) -> Iterator[bytes]:
    """Claimed addresses of those that live and have the key as their primary host."""
    for _, entry in listed:
        if not entry.revoked and entry.address is not None and primary_key(entry.record) == key:
            yield entry.address


def _host(entry: NameEntry, key: bytes) -> tuple[str, int]:
    """Label and zone of the key's host; the primary, where it has several."""
    found = sorted((str(host["label"]), _zone(host["zone"])) for host in hosts(entry.record) if host["key"] == key)
    return found[0]


def _zone(value: object) -> int:
    return value if isinstance(value, int) else 0


def _is_deep(view: ChainView, name: str, key: bytes) -> bool:
    """Whether the name's record, at the height where it counts and ever since, lists the key.

    For a record that lists it now. Most have been as they are for long, and then no block need be read.
    """
    settled = view.height - view.params.policy.mesh_bind_depth + 1
    last = view.last_operation(name)
    if last is not None and last.height <= settled:
        return True
    for height, listed in _records(view, name):
        if key not in listed:
            return False
        if height <= settled:
            return True
    return False


def _records(view: ChainView, name: str) -> Iterator[tuple[int, set[bytes]]]:
    """(height, host keys) of every operation that set the record, newest first, back to the start of this life."""
    for located in view.history_back(name):
        block = view.block_at(located.height)
        operation = None if block is None else block.operations[located.index]
        match operation:
            case Update():
                yield located.height, host_keys(operation.record)
            case Transfer():
                yield located.height, set()
            case Reveal():
                yield located.height, host_keys(operation.record)
                return
