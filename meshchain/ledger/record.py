"""What consensus asks of a record: its shape, its hosts, and a proof from every host's key.

A record is a map. ``hosts`` binds labels to node keys and addresses, ``dns`` is opaque text bounded only by
the record's size (wallet and resolver validate it), and unknown keys are kept, in the record and in its
hosts, so that later software can say more without a change of consensus.
"""

from functools import lru_cache
from typing import Final

from meshchain.crypto import verify_ed25519
from meshchain.crypto.address import ADDRESS_SIZE, is_claimable, node_address
from meshchain.crypto.hashing import tagged_hash
from meshchain.ledger import codec, shape
from meshchain.ledger.entry import Record
from meshchain.ledger.errors import CodecError, RuleError
from meshchain.ledger.names import check_name
from meshchain.ledger.params import Consensus

MAX_HOSTS: Final = 8
KEY_SIZE: Final = 32
PROOF_SIZE: Final = 64


def hosts(record: Record) -> list[shape.Table]:
    """The record's hosts (none if it lists none); CodecError unless each is a map."""
    listed = shape.array(record.get("hosts", []), "hosts")
    return [shape.table(host, "a host") for host in listed]


def primary(record: Record) -> shape.Table | None:
    """The host with label "" (the name itself), or None."""
    return next((host for host in hosts(record) if host["label"] == ""), None)


def primary_key(record: Record) -> bytes | None:
    """The primary host's node key, or None."""
    host = primary(record)
    return None if host is None else shape.raw(host, "key", KEY_SIZE)


def host_keys(record: Record) -> set[bytes]:
    """Every node key that the record lists."""
    return {shape.raw(host, "key", KEY_SIZE) for host in hosts(record)}


def claim(record: Record) -> bytes | None:
    """The address in eeee::/80 that the primary host asks for, or None."""
    host = primary(record)
    if host is None:
        return None
    address = shape.raw(host, "ip6", ADDRESS_SIZE)
    return address if is_claimable(address) else None


def proof_message(genesis: bytes, owner: bytes, key: bytes, name: str) -> bytes:
    """What a host's node key signs to stand in a record: H("host", genesis ‖ owner ‖ key ‖ name)."""
    return tagged_hash("host", genesis, owner, key, name.encode())


def check_shape(record: Record, consensus: Consensus) -> None:
    """All of a record's rules that depend on nothing else; CodecError or RuleError."""
    size = len(codec.encode(record))
    if size > consensus.max_record_size:
        raise RuleError("record-size", "the record is too large", size=size, limit=consensus.max_record_size)
    listed = hosts(record)
    if len(listed) > MAX_HOSTS:
        raise RuleError("host-count", "a record lists too many hosts", hosts=len(listed), limit=MAX_HOSTS)
    for host in listed:
        _check_host(host)
    _check_unique(listed)
    for item in shape.array(record.get("dns", []), "dns"):
        _check_dns_shape(item)


def check_proofs(record: Record, *, genesis: bytes, owner: bytes, name: str) -> None:
    """Raise RuleError "host-proof" unless every host's key signed for this owner and name."""
    for host in hosts(record):
        key = shape.raw(host, "key", KEY_SIZE)
        if not _signed(key, proof_message(genesis, owner, key, name), shape.raw(host, "proof", PROOF_SIZE)):
            label = shape.text(host, "label")
            raise RuleError("host-proof", f"host {label!r}: the key did not sign for this owner and name", label=label)


@lru_cache(maxsize=8192)  # an update usually repeats hosts whose proofs were checked before
def _signed(key: bytes, message: bytes, signature: bytes) -> bool:
    return verify_ed25519(key, message, signature)


def _check_host(host: shape.Table) -> None:
    label, key = shape.text(host, "label"), shape.raw(host, "key", KEY_SIZE)
    address = shape.raw(host, "ip6", ADDRESS_SIZE)
    shape.uint(host, "zone", shape.U16)
    shape.raw(host, "proof", PROOF_SIZE)
    if label:
        check_name(label)
    derived = node_address(key)
    if derived is None:
        raise RuleError("host-key", "the key's derived address falls into eeee::/80", label=label)
    if address != derived and not (label == "" and is_claimable(address)):
        raise RuleError("host-address", "ip6 is neither the key's address nor a primary's claim", label=label)


def _check_unique(listed: list[shape.Table]) -> None:
    labels = [shape.text(host, "label") for host in listed]
    if labels.count("") > 1:
        raise RuleError("host-primary", "more than one host has the empty label")
    if len({(label, host["key"]) for label, host in zip(labels, listed, strict=True)}) < len(listed):
        raise RuleError("host-duplicate", "a host's label and key appear twice")


def _check_dns_shape(item: codec.Value) -> None:
    fields = shape.array(item, "a dns record")
    if len(fields) != 4:
        raise CodecError("dns-shape", "a dns record is [label, type, ttl, text]")
    label, kind, ttl, text = fields
    strings = isinstance(label, str) and isinstance(kind, str) and isinstance(text, str)
    if not strings or isinstance(ttl, bool) or not isinstance(ttl, int) or ttl > shape.U32:
        raise CodecError("dns-shape", "a dns record is [text, text, u32, text]")
