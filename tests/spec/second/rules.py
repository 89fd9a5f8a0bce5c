# ruff: noqa: ANN401 - decoded values are of any type until they are looked at
"""Chapters 5 to 9 and 14: what operations may say and what they do."""

import hashlib
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from meshchain.crypto import is_ecdsa_public_key, verify_ecdsa, verify_ed25519
from tests.spec.second.headers import Parameters
from tests.spec.second.values import argon, decode, encode, need, tagged

KEYS = {
    "commit": "kind stamp commitment",
    "reveal": "born kind name salt owner stamp record signature",
    "update": "reg seq kind name stamp record signature",
    "renew": "reg kind name stamp expires signature",
    "transfer": "reg seq kind name stamp new_owner signature",
    "revoke": "reg seq kind name stamp signature",
}
SIZES = {"commitment": 32, "salt": 32, "owner": 33, "new_owner": 33, "reg": 16, "signature": 64}
WIDTHS = {"born": 32, "expires": 32, "seq": 64, "zone": 16}
Operation = dict[str, Any]


@dataclass
class State:
    """After a block. Entries are maps with the keys of §14.1."""

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    commitments: dict[bytes, tuple[int, bool]] = field(default_factory=dict)

    def copy(self) -> "State":
        return deepcopy(self)


def is_number(value: object, width: int) -> bool:
    return type(value) is int and value < 2**width


def is_bytes(value: object, size: int) -> bool:
    return isinstance(value, bytes) and len(value) == size


def check_name(name: object) -> None:
    need(isinstance(name, str) and re.fullmatch(r"(?!-)[a-z0-9-]{1,63}(?<!-)", name))
    need(isinstance(name, str) and (name[2:4] != "--" or name[:2] == "xn"))


def is_claim(address: bytes) -> bool:
    return address[:10] == b"\xee\xee" + bytes(8) and any(address[10:])


def check_record(p: Parameters, record: Any) -> None:
    need(isinstance(record, dict) and len(encode(record)) <= p["max_record_size"])
    hosts, dns = record.get("hosts", []), record.get("dns", [])
    need(isinstance(hosts, list) and isinstance(dns, list) and len(hosts) <= 8)
    for host in hosts:
        _check_host(host)
    need(sum(host["label"] == "" for host in hosts) <= 1)
    need(len({(host["label"], host["key"]) for host in hosts}) == len(hosts))
    for item in dns:
        need(isinstance(item, list) and len(item) == 4 and is_number(item[2], 32))
        need(all(isinstance(item[at], str) for at in (0, 1, 3)))


def _check_host(host: Any) -> None:
    need(isinstance(host, dict) and isinstance(host.get("label"), str))
    need(is_bytes(host.get("key"), 32) and is_bytes(host.get("ip6"), 16) and is_bytes(host.get("proof"), 64))
    need(is_number(host.get("zone"), 16))
    if host["label"]:
        check_name(host["label"])
    derived = b"\xee\xee" + hashlib.blake2s(host["key"], person=b"meshaddr").digest()[:14]
    need(any(derived[2:10]))
    need(host["ip6"] == derived or (host["label"] == "" and is_claim(host["ip6"])))


def parse(p: Parameters, data: bytes) -> Operation:
    need(len(data) <= p["max_operation_size"])
    op = decode(data)
    need(isinstance(op, dict) and isinstance(op.get("kind"), str) and op["kind"] in KEYS)
    need(set(op) == set(KEYS[op["kind"]].split()))
    for key, value in op.items():
        need(key not in SIZES or is_bytes(value, SIZES[key]))
        need(key not in WIDTHS or is_number(value, WIDTHS[key]))
    if "name" in op:
        check_name(op["name"])
    if "record" in op:
        check_record(p, op["record"])
    _check_stamp_shape(op["stamp"])
    return dict(op)


def _check_stamp_shape(stamp: Any) -> None:
    need(isinstance(stamp, list) and len(stamp) == 4)
    height, anchor, bits, nonces = stamp
    need(is_number(height, 32) and is_bytes(anchor, 8) and is_number(bits, 64))
    need(isinstance(nonces, list) and len(nonces) == 8 and all(is_number(nonce, 64) for nonce in nonces))


def body(op: Operation) -> bytes:
    return encode({key: value for key, value in op.items() if key not in ("signature", "stamp")})


def check_stamp(p: Parameters, op: Operation, h: int, ids: Mapping[int, bytes]) -> None:
    height, anchor, bits, nonces = op["stamp"]
    grid = p["stamp_grid"]
    need(height in (grid * max(0, h // grid - 1), grid * max(0, h // grid - 2)))
    need(ids[height][:8] == anchor)
    short = max(0, p["stamp_short_name"] - len(op["name"])) if op["kind"] == "reveal" else 0
    need(p["stamp_bits"][op["kind"]] + short <= bits <= 64)
    challenge = tagged("stamp", height.to_bytes(4, "big"), anchor, body(op), op.get("signature", b""))
    for index, nonce in enumerate(nonces):
        password = challenge + bytes((index,)) + nonce.to_bytes(8, "big")
        need(argon(password, b"meshchain-stamp1", p["pow_memory_kib"]) >> (256 - bits) == 0)


def begin(p: Parameters, state: State, h: int) -> None:
    state.entries = {name: e for name, e in state.entries.items() if e["expires"] + p["grace"] > h}
    state.commitments = {c: at for c, at in state.commitments.items() if at[0] + p["commit_life"] >= h}


def apply(p: Parameters, state: State, op: Operation, h: int, genesis: bytes) -> bytes:
    """Returns the opid."""
    opid = tagged("op", genesis, body(op))
    if op["kind"] == "commit":
        need(op["commitment"] not in state.commitments)
        state.commitments[op["commitment"]] = h, False
    elif op["kind"] == "reveal":
        _reveal(p, state, op, h, genesis, opid)
    else:
        _change(p, state, op, h, genesis, opid)
    return opid


def _reveal(p: Parameters, state: State, op: Operation, h: int, genesis: bytes, opid: bytes) -> None:
    name, owner, born = op["name"], op["owner"], op["born"]
    made = tagged("commit", genesis, op["salt"], owner, born.to_bytes(4, "big"), name.encode())
    need(made in state.commitments)
    c, used = state.commitments[made]
    need(not used and p["commit_depth"] <= h - c <= p["commit_life"])
    need(0 <= c - born <= p["expiry"] + p["grace"] - p["commit_life"])
    need(name not in state.entries)
    need(verify_ecdsa(owner, opid, op["signature"]))
    _check_proofs(op, owner, genesis)
    state.commitments[made] = c, True
    entry = {"owner": owner, "reg": made[:16], "record": op["record"], "seq": 0, "revoked": False}
    entry |= {"registered": h, "expires": h + p["expiry"], "address": None}
    state.entries[name] = entry
    _claim(state, name)


def _change(p: Parameters, state: State, op: Operation, h: int, genesis: bytes, opid: bytes) -> None:
    need(op["name"] in state.entries)
    entry, kind = state.entries[op["name"]], op["kind"]
    need(entry["reg"] == op["reg"] and not entry["revoked"])
    signed = verify_ecdsa(entry["owner"], opid, op["signature"])
    if kind == "renew":
        need(op["expires"] == entry["expires"] < h + p["expiry"])
        key = (_primary(entry["record"]) or {}).get("key")
        need(signed or (key and verify_ed25519(key, opid, op["signature"])))
        entry["expires"] = h + p["expiry"]
        return
    need(signed and h < entry["expires"] and entry["seq"] < op["seq"] <= entry["seq"] + p["max_seq_step"])
    entry["seq"] = op["seq"]
    if kind == "update":
        _check_proofs(op, entry["owner"], genesis)
        entry["record"] = op["record"]
        _claim(state, op["name"])
    elif kind == "transfer":
        need(is_ecdsa_public_key(op["new_owner"]))
        entry |= {"owner": op["new_owner"], "record": {}}
    else:
        entry |= {"revoked": True, "address": None}


def _check_proofs(op: Operation, owner: bytes, genesis: bytes) -> None:
    for host in op["record"].get("hosts", []):
        message = tagged("host", genesis, owner, host["key"], op["name"].encode())
        need(verify_ed25519(host["key"], message, host["proof"]))


def _primary(record: dict[str, Any]) -> dict[str, Any] | None:
    return next((host for host in record.get("hosts", []) if host["label"] == ""), None)


def _claim(state: State, name: str) -> None:
    entry = state.entries[name]
    wanted = (_primary(entry["record"]) or {"ip6": b""})["ip6"]
    if not is_claim(wanted):
        entry["address"] = None
    elif all(e["address"] != wanted for other, e in state.entries.items() if other != name):
        entry["address"] = wanted
