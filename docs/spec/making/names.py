"""names.json: names and labels; addresses of node keys; claimable addresses."""

from ipaddress import IPv6Address
from typing import Final

from docs.spec.making.values import Document, secret
from meshchain.crypto import ed25519_public_key
from meshchain.crypto.address import is_claimable, node_address
from meshchain.ledger.errors import RuleError
from meshchain.ledger.names import check_name

_VALID: Final = ("a", "0", "alice", "a-b", "a--b", "xn--bcher-kva", "1a-b", "a" * 63, "0" * 63, "aaa--b", "a-0")
_INVALID: Final = (
    "", "a" * 64, "Alice", "al ice", "alice.", "a.b", "a_b", "ü", "alice\n", "a\0", "-a", "a-", "-", "--", "ab--c",
    "xx--a", "1a--b", "xn--", "xn---", "xN--a", "١",
)  # fmt: skip
_ADDRESSES: Final = (
    "eeee::", "eeee::1", "eeee::ffff:ffff:ffff", "eeee::1:0:0", "eeee:0:0:0:0:1::", "eeee:0:0:0:1::1", "eeef::1", "::1",
)  # fmt: skip


def document() -> Document:
    return {
        "valid": _VALID,
        "invalid": [{"name": name, "code": _code(name)} for name in _INVALID],
        "node_addresses": [_node(number) for number in range(4)],
        "claims": [{"ip6": _packed(text).hex(), "claimable": is_claimable(_packed(text))} for text in _ADDRESSES],
    }


def _code(name: str) -> str:
    try:
        check_name(name)
    except RuleError as error:
        return error.code
    raise AssertionError(name)


def _node(number: int) -> Document:
    seed = secret(f"node {number}")
    key = ed25519_public_key(seed)
    address = node_address(key)
    assert address is not None
    return {"seed": seed.hex(), "key": key.hex(), "ip6": address.hex()}


def _packed(text: str) -> bytes:
    return IPv6Address(text).packed
