"""The ``register`` command around the registrar: the wallet, the record, the node's queue, the report."""

from typing import Any

from meshchain.ledger.entry import Record
from meshchain.ledger.record import hosts as record_hosts
from meshchain.rpc.client import idn
from meshchain.rpc.client.errors import WrongUse
from wallet import creation, hosts, writing
from wallet.context import Wallet
from wallet.registrar import Registrar, Situation, Stage
from wallet.remote import Ledger, Registered


def register(wallet: Wallet, text: str, claim_text: str | None, *, no_host: bool) -> None:
    """Bring NAME as far as possible and print {name, status, owner, txids, …}."""
    name = idn.parse(text)
    claim = None if claim_text is None else hosts.claim_of(claim_text)
    if claim is not None and no_host:
        raise WrongUse("claim-without-host", "--claim gives an address to this node, so it excludes --no-host")
    if name.unicode != name.ledger:
        wallet.note(f"{name.unicode}.mesh is {name.shown} on the ledger")
    for warning in name.warnings:
        wallet.warn(warning)
    wallet.ledger.genesis  # noqa: B018 - no wallet is made for a node that does not answer, or runs another network
    if not wallet.keystore.exists():
        creation.create_at_first_use(wallet)
    situation, owner = _queue(wallet, name.ledger, claim, no_host=no_host)
    if situation.stage is Stage.OWNED and situation.entry is not None:
        _report_owned(wallet, situation.entry, claim)
    else:
        _report_queued(wallet, name.ledger, situation, owner, claim)


def record_for(ledger: Ledger, name: str, owner: bytes, claim: bytes | None) -> Record:
    """A record whose only host is the wallet's node, proven by it; its address is ``claim`` or the derived one."""
    host = own_host(ledger, name, owner, hosts.PRIMARY, claim)
    return {"hosts": [host]}


def own_host(ledger: Ledger, name: str, owner: bytes, label: str, claim: bytes | None) -> hosts.Host:
    """This node as a host of ``name``, with its proof."""
    identity = ledger.node_proof(name, owner)
    host = hosts.from_identity(identity, label=label, name=name, owner=owner, genesis=ledger.genesis)
    return host if claim is None else {**host, "ip6": claim}


def _queue(wallet: Wallet, name: str, claim: bytes | None, *, no_host: bool) -> tuple[Situation, bytes]:
    """Hand over what remains to be done; the situation with the txids now in the queue, and the owner key."""
    with wallet.keystore.edit() as edit:
        keys = wallet.keys(edit.payload)
        owner = keys.owner(name)
        registrar = Registrar(wallet.ledger, keys, edit.payload.receive)
        situation = registrar.assess(name)
        writing.note(edit.payload, name, [])
        if situation.stage in (Stage.OWNED, Stage.QUEUED):
            return situation, owner
        record = {} if no_host else record_for(wallet.ledger, name, owner, claim)
        made = registrar.drafts(name, situation, record)
        writing.note(edit.payload, name, made)
        edit.save()
        txids = wallet.ledger.hand_over(made)
        return Situation(situation.stage, situation.born, txids=tuple(txids)), owner


def _report_owned(wallet: Wallet, entry: Registered, claim: bytes | None) -> None:
    _check_claim(wallet, entry, claim)
    if entry.status == "grace":
        wallet.warn(f"{entry.name}.mesh has expired; `meshwallet renew {entry.name}` keeps it")
    wallet.emit({**_document(entry), "txids": []}, _text(entry))


def _report_queued(wallet: Wallet, name: str, situation: Situation, owner: bytes, claim: bytes | None) -> None:
    if wallet.options.wait:
        wallet.follow(situation.txids, name)
        entry = wallet.ledger.registered(name)
        if entry is not None:
            _check_claim(wallet, entry, claim)
            wallet.emit({**_document(entry), "txids": list(situation.txids)}, _text(entry))
            return
    words = {
        Stage.FREE: "its commit and reveal are in the node's queue",
        Stage.COMMITTED: "its commit is in the chain; the reveal is in the node's queue",
        Stage.QUEUED: "its registration is under way in the node's queue",
    }
    wallet.emit(
        {"name": name, "status": situation.stage.value, "owner": owner.hex(), "txids": list(situation.txids)},
        f"{name}.mesh: {words[situation.stage]}\nThe node goes on by itself; `meshwallet register {name} --wait`"
        " follows it.",
    )


def _check_claim(wallet: Wallet, entry: Registered, claim: bytes | None) -> None:
    from ipaddress import IPv6Address

    if claim is None or entry.ip6 == str(IPv6Address(claim)):
        return
    asked = any(host["label"] == hosts.PRIMARY and host["ip6"] == claim for host in record_hosts(entry.record))
    wallet.warn(
        f"{entry.name}.mesh has the address {entry.ip6}, not {IPv6Address(claim)}: "
        + ("another name holds that" if asked else "its record does not ask for that")
        + f". `meshwallet host replace {entry.name} @ --claim ADDR` asks {'for another' if asked else 'for it'}"
    )


def _document(entry: Registered) -> dict[str, Any]:
    return {
        "name": entry.name,
        "status": "registered" if entry.status == "active" else entry.status,
        "owner": entry.owner.hex(),
        "ip6": entry.ip6,
        "registered": entry.registered,
        "expires": entry.expires,
        "expires_in": entry.expires_in,
    }


def _text(entry: Registered) -> str:
    return (
        f"{entry.name}.mesh is registered and yours\n  address  {entry.ip6 or 'none'}\n  owner    {entry.owner.hex()}\n"
        f"  expires  at block {entry.expires} (in {entry.expires_in} blocks)"
    )
