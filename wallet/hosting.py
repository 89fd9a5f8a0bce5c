"""The ``host`` commands: where an identity comes from, and the update that carries it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from meshchain.ledger.entry import Record
from meshchain.rpc.client import idn
from meshchain.rpc.client.errors import WrongUse, reason
from wallet import hosts, writing
from wallet.context import Wallet
from wallet.hosts import Host
from wallet.registering import own_host
from wallet.writing import Desk

Values = tuple[str, ...]


def put(
    wallet: Wallet,
    action: str,
    change: Callable[[Record, Host], Record],
    name: str,
    label: str,
    values: Values,
    claim: str | None,
) -> None:
    """Bring a host into the record by ``change`` (hosts.add or hosts.replace)."""
    ledger_name, at = idn.parse(name).ledger, hosts.label_of(label)
    claimed = _claim(at, claim)
    identity = given_identity(values)

    def build(desk: Desk) -> list[Any]:
        return [desk.update(change(desk.standing.record, _host(desk, at, identity, claimed)))]

    txids = writing.change(wallet, ledger_name, build)
    writing.finish(wallet, ledger_name, action, txids, label=at)


def remove(wallet: Wallet, name: str, label: str, key: str | None) -> None:
    ledger_name, at = idn.parse(name).ledger, hosts.label_of(label)
    raw = None if key is None else _key(key)
    txids = writing.change(wallet, ledger_name, lambda desk: [desk.update(hosts.remove(desk.standing.record, at, raw))])
    writing.finish(wallet, ledger_name, "host remove", txids, label=at)


def given_identity(values: Values) -> dict[str, Any] | None:
    """The identity that the command line names; None for the wallet's own node. WrongUse (bad-identity)."""
    if not values:
        return None
    if len(values) == 1:
        return hosts.parse_identity(read_identity(values[0]))
    if len(values) == 2:
        return {"key": values[0], "proof": values[1]}
    if len(values) == 3:
        return {"key": values[0], "ip6": values[1], "proof": values[2]}
    raise WrongUse("bad-identity", f"a host is KEY [IP] PROOF, a file, or nothing; these are {len(values)} values")


def read_identity(source: str) -> str:
    """JSON given as it is, in a file, or on stdin (-)."""
    if source.lstrip().startswith("{"):
        return source
    try:
        if source == "-":
            return sys.stdin.read(hosts.MAX_IDENTITY + 1)
        with Path(source).open(encoding="utf-8") as stream:
            return stream.read(hosts.MAX_IDENTITY + 1)
    except (OSError, ValueError) as error:
        raise WrongUse("bad-identity", f"{source}: {reason(error)}") from None


def _host(desk: Desk, label: str, identity: dict[str, Any] | None, claim: bytes | None) -> Host:
    name = desk.standing
    if identity is None:
        return own_host(desk.ledger, name.name, name.owner, label, claim)
    host = hosts.from_identity(identity, label=label, name=name.name, owner=name.owner, genesis=desk.ledger.genesis)
    return host if claim is None else {**host, "ip6": claim}


def _claim(label: str, text: str | None) -> bytes | None:
    if text is None:
        return None
    if label != hosts.PRIMARY:
        raise WrongUse("bad-claim", "only the name itself (label @) can claim an address")
    return hosts.claim_of(text)


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise WrongUse("bad-key", f"{text!r} is no node key: 64 hexadecimal digits")
    return key
