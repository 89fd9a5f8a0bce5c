"""records.json: records that consensus takes, and one for every rule that it refuses them by."""

from collections.abc import Iterator
from dataclasses import dataclass

from docs.spec.making.values import GENESIS, Document, Json, form, secret
from meshchain.crypto import ecdsa_public_key, ed25519_public_key, sign_ed25519
from meshchain.crypto.address import CLAIM_PREFIX, node_address
from meshchain.ledger import codec
from meshchain.ledger.codec import Value
from meshchain.ledger.entry import Record
from meshchain.ledger.record import claim, primary, primary_key, proof_message

Host = dict[str, Value]
OWNER = ecdsa_public_key(secret("owner alice"))
NAME = "alice"
_BEYOND_U32 = 2**32


@dataclass(frozen=True)
class Machine:
    """A node whose key stands in records; everything follows from its number."""

    number: int

    @property
    def seed(self) -> bytes:
        return secret(f"node {self.number}")

    @property
    def key(self) -> bytes:
        return ed25519_public_key(self.seed)

    def host(
        self, label: str = "", *, genesis: bytes = GENESIS, owner: bytes = OWNER, name: str = NAME, **more: Value
    ) -> Host:
        """This node as a host, proof and all; ``more`` replaces fields or adds unknown ones."""
        proof = sign_ed25519(self.seed, proof_message(genesis, owner, self.key, name))
        host: Host = {"label": label, "key": self.key, "ip6": node_address(self.key), "zone": 0, "proof": proof}
        return host | more


def claimed(number: int) -> bytes:
    """eeee::number"""
    return CLAIM_PREFIX + number.to_bytes(6, "big")


def document() -> Document:
    return {
        "genesis": GENESIS.hex(),
        "owner": OWNER.hex(),
        "name": NAME,
        "valid": [_valid(why, record) for why, record in _good()],
        "invalid": [_invalid(why, code, record) for why, code, record in _bad()],
    }


def _valid(why: str, record: Record) -> Json:
    key, address = primary_key(record), claim(record)
    return {
        "why": why,
        "record": form(record),
        "cbor": codec.encode(record).hex(),
        "primary": None if primary(record) is None or key is None else key.hex(),
        "claim": None if address is None else address.hex(),
    }


def _invalid(why: str, code: str, record: Value) -> Json:
    return {"why": why, "code": code, "record": form(record), "cbor": codec.encode(record).hex()}


def _good() -> Iterator[tuple[str, Record]]:
    one, two = Machine(1), Machine(2)
    yield "empty", {}
    yield "no hosts", {"hosts": [], "dns": []}
    yield "one primary", {"hosts": [one.host()]}
    yield "a primary with a claim", {"hosts": [one.host(ip6=claimed(1))]}
    yield "a host without a primary", {"hosts": [one.host("www", zone=65535)]}
    yield (
        "one key under two labels, one label with two keys",
        {
            "hosts": [one.host(), one.host("www"), two.host("www")],
        },
    )
    yield "eight hosts", {"hosts": [one.host(f"h{index}") for index in range(8)]}
    yield "dns, opaque to consensus", {"dns": [["www", "A", 300, "192.0.2.1"], ["", "no such type", 2**32 - 1, ""]]}
    yield "unknown keys in record and host", {"hosts": [one.host(note="x", more={"a": [1]})], "future": [b"\1", None]}
    yield "the greatest size: 1,536 bytes", {"x": "y" * 1530}


def _bad() -> Iterator[tuple[str, str, Value]]:
    one, two = Machine(1), Machine(2)
    yield "not a map", "field-type", []
    yield "hosts is no array", "field-type", {"hosts": {}}
    yield "hosts is null", "field-type", {"hosts": None}
    yield "a host is no map", "field-type", {"hosts": [[]]}
    yield "dns is no array", "field-type", {"dns": {}}
    yield "a dns record is no array", "field-type", {"dns": ["www"]}
    yield "1,537 bytes", "record-size", {"x": "y" * 1531}
    yield "nine hosts", "host-count", {"hosts": [one.host(f"h{index}", proof=bytes(64)) for index in range(9)]}
    yield "label missing", "field-text", {"hosts": [_without(one.host(), "label")]}
    yield "label is bytes", "field-text", {"hosts": [one.host(label=b"")]}  # type: ignore[arg-type]
    yield "key of 31 bytes", "field-bytes", {"hosts": [one.host(key=bytes(31))]}
    yield "ip6 is text", "field-bytes", {"hosts": [one.host(ip6="eeee::1")]}
    yield "proof missing", "field-bytes", {"hosts": [_without(one.host(), "proof")]}
    yield "zone missing", "field-uint", {"hosts": [_without(one.host(), "zone")]}
    yield "zone is 65,536", "field-uint", {"hosts": [one.host(zone=65536)]}
    yield "zone is true", "field-uint", {"hosts": [one.host(zone=True)]}
    yield "label with a dot", "name-alphabet", {"hosts": [one.host("a.b")]}
    yield "label of 64 characters", "name-length", {"hosts": [one.host("a" * 64)]}
    yield "label ends with a hyphen", "name-edge-hyphen", {"hosts": [one.host("a-")]}
    yield "label like an A-label", "name-double-hyphen", {"hosts": [one.host("ab--c")]}
    yield "another key's address", "host-address", {"hosts": [one.host(ip6=node_address(two.key))]}
    yield "a claim by a host that is not the primary", "host-address", {"hosts": [one.host("www", ip6=claimed(1))]}
    yield "eeee:: is not claimable", "host-address", {"hosts": [one.host(ip6=claimed(0))]}
    yield "two primaries", "host-primary", {"hosts": [one.host(), two.host()]}
    yield "a host twice", "host-duplicate", {"hosts": [one.host("www"), one.host("www", zone=1)]}
    for why, item in _bad_dns():
        yield f"dns record: {why}", "dns-shape", {"dns": [item]}
    yield from _bad_proofs(one, two)


def _bad_dns() -> Iterator[tuple[str, Value]]:
    yield "three items", ["www", "A", 300]
    yield "five items", ["www", "A", 300, "192.0.2.1", ""]
    yield "label is bytes", [b"www", "A", 300, "192.0.2.1"]
    yield "type is an integer", ["www", 1, 300, "192.0.2.1"]
    yield "ttl is 2^32", ["www", "A", _BEYOND_U32, "192.0.2.1"]
    yield "ttl is true", ["www", "A", True, "192.0.2.1"]
    yield "text is null", ["www", "A", 300, None]


def _bad_proofs(one: Machine, two: Machine) -> Iterator[tuple[str, str, Value]]:
    other = ecdsa_public_key(secret("owner bob"))
    yield "proof for another owner", "host-proof", {"hosts": [one.host(owner=other)]}
    yield "proof for another name", "host-proof", {"hosts": [one.host(name="bob")]}
    yield "proof for another network", "host-proof", {"hosts": [one.host(genesis=secret("another genesis"))]}
    yield "proof of another key", "host-proof", {"hosts": [one.host(proof=two.host()["proof"])]}
    yield "the second host's proof is wrong", "host-proof", {"hosts": [one.host(), two.host("www", proof=bytes(64))]}
    small = (1).to_bytes(32, "little")
    host = one.host(key=small, ip6=node_address(small), proof=small + bytes(32))
    yield "key of small order, signature that its equation accepts", "host-proof", {"hosts": [host]}


def _without(host: Host, key: str) -> Host:
    return {name: value for name, value in host.items() if name != key}
