"""Hosts of a record: which node keys a name binds, each with its key's own proof.

A proof is made where the node key lives: by this wallet's node (signnodeproof), or on the other machine by
``meshctl identity --for NAME --owner KEY``, whose JSON comes in here. It binds owner and name, so a name that
changes its owner needs new proofs from all its hosts.
"""

import json
from collections.abc import Mapping, Sequence
from ipaddress import IPv6Address
from typing import Any, Final

from meshchain.crypto import verify_ed25519
from meshchain.crypto.address import is_claimable, node_address
from meshchain.ledger import record as rules
from meshchain.ledger.codec import Value
from meshchain.ledger.entry import Record
from meshchain.ledger.errors import CodecError, RuleError
from meshchain.ledger.names import check_name
from meshchain.ledger.params import Consensus
from meshchain.rpc.client.errors import WrongUse
from wallet.errors import RefusalError

Host = dict[str, Value]
PRIMARY: Final = ""
APEX: Final = "@"
"""What people type for the empty label, as in zone files."""
MAX_IDENTITY: Final = 4096
"""Characters of an identity's JSON; a real one has some 400."""


def label_of(text: str) -> str:
    """The label people mean: "" or "@" is the name itself; WrongUse with the broken rule."""
    label = text.lower()
    if label in (PRIMARY, APEX):
        return PRIMARY
    try:
        check_name(label)
    except RuleError as error:
        raise WrongUse(error.code, f"{text!r} cannot be a host's label: {error.message}") from None
    return label


def claim_of(text: str) -> bytes:
    """The 16 bytes of an address that a primary host may claim; WrongUse (bad-claim)."""
    try:
        address = IPv6Address(text).packed
    except ValueError:
        address = b""
    if not is_claimable(address):
        raise WrongUse(
            "bad-claim", f"{text!r} cannot be claimed: claims are addresses of eeee::/80 from eeee::1 on, like eeee::1"
        )
    return address


def parse_identity(text: str) -> dict[str, Any]:
    """The JSON of ``meshctl identity --for NAME --owner KEY --json``; WrongUse (bad-identity)."""
    try:
        table = json.loads(text) if len(text) <= MAX_IDENTITY else None
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict) or not {"key", "proof"} <= table.keys():
        raise WrongUse(
            "bad-identity",
            "this is not what `meshctl identity --for NAME --owner KEY --json` prints (key, ip6, proof, zone)",
        )
    return table


def from_identity(identity: Mapping[str, Any], *, label: str, name: str, owner: bytes, genesis: bytes) -> Host:
    """The record's host for ``identity`` {key, proof, ip6?, zone?, name?, owner?}, its proof checked.

    WrongUse: bad-identity, identity-name, identity-owner, host-key, host-address, host-proof.
    """
    _check_meant_for(identity, name, owner)
    key = _hexadecimal(identity, "key", rules.KEY_SIZE)
    proof = _hexadecimal(identity, "proof", rules.PROOF_SIZE)
    if not verify_ed25519(key, rules.proof_message(genesis, owner, key, name), proof):
        raise WrongUse(
            "host-proof",
            f"the proof does not fit {name}.mesh, its owner and this key. Make it on that machine with"
            f" `meshctl identity --for {name} --owner {owner.hex()}`",
            owner=owner.hex(),
        )
    return {"label": label, "key": key, "ip6": _address(identity, key, label), "zone": _zone(identity), "proof": proof}


def add(record: Record, host: Host) -> Record:
    """``record`` with one more host; WrongUse (host-exists) for a second primary or the same label and key."""
    hosts = rules.hosts(record)
    for other in hosts:
        if other["label"] == host["label"] and (host["label"] == PRIMARY or other["key"] == host["key"]):
            raise RefusalError(
                "host-exists",
                f"{_shown(host['label'])} is there already; `meshwallet host replace` puts another in its place",
            )
    return _with_hosts(record, [*hosts, host])


def replace(record: Record, host: Host) -> Record:
    """``record`` with ``host`` in the place of all hosts of its label; RefusalError (host-not-found)."""
    return add(remove(record, str(host["label"]), None), host)


def remove(record: Record, label: str, key: bytes | None) -> Record:
    """``record`` without the hosts of ``label`` (only the one with ``key``, if given)."""
    hosts = rules.hosts(record)
    kept = [h for h in hosts if h["label"] != label or (key is not None and h["key"] != key)]
    if len(kept) == len(hosts):
        labels = ", ".join(_shown(h["label"]) for h in hosts) or "none"
        raise RefusalError("host-not-found", f"the record has no such host {_shown(label)}; it has: {labels}")
    return _with_hosts(record, kept)


def check_record(record: Record, consensus: Consensus) -> None:
    """RefusalError with the ledger's rule and the current values if the record would be refused."""
    try:
        rules.check_shape(record, consensus)
    except (RuleError, CodecError) as error:
        now = "".join(f", {key} {value}" for key, value in error.detail.items())
        raise RefusalError(error.code, f"the record would break a rule: {error.message}{now}", **error.detail) from None


def _with_hosts(record: Record, hosts: Sequence[Host]) -> Record:
    rest: Record = {key: value for key, value in record.items() if key != "hosts"}
    return {**rest, "hosts": list(hosts)} if hosts else rest


def _check_meant_for(identity: Mapping[str, Any], name: str, owner: bytes) -> None:
    for field, ours in (("name", name), ("owner", owner.hex())):
        theirs = identity.get(field, ours)
        if theirs != ours:
            raise WrongUse(
                f"identity-{field}",
                f"this identity was made for {field} {theirs}, not {ours}: make it again with"
                f" `meshctl identity --for {name} --owner {owner.hex()}`",
            )


def _hexadecimal(identity: Mapping[str, Any], field: str, size: int) -> bytes:
    try:
        raw = bytes.fromhex(identity[field])
    except (TypeError, ValueError):
        raw = b""
    if len(raw) != size:
        raise WrongUse("bad-identity", f"{field} must be {2 * size} hexadecimal digits", field=field)
    return raw


def _address(identity: Mapping[str, Any], key: bytes, label: str) -> bytes:
    derived = node_address(key)
    if derived is None:
        raise WrongUse("host-key", "no address can be derived from this node key; the node needs another one")
    if identity.get("ip6") is None:
        return derived
    try:
        given = IPv6Address(identity["ip6"]).packed
    except ValueError:
        given = b""
    if given != derived and not (label == PRIMARY and is_claimable(given)):
        raise WrongUse(
            "host-address",
            f"{identity['ip6']} is not the address of this key, which is {IPv6Address(derived)}"
            + (" (or a claim like eeee::1)" if label == PRIMARY else ""),
        )
    return given


def _zone(identity: Mapping[str, Any]) -> int:
    zone = identity.get("zone", 0)
    if type(zone) is not int or not 0 <= zone < 2**16:
        raise WrongUse("bad-identity", "zone must be an integer from 0 to 65535", field="zone")
    return zone


def _shown(label: Value) -> str:
    return repr(label) if label else "'@' (the name itself)"
