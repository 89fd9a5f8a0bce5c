"""The ``transfer`` command: to somebody else's key, or to a fresh key of the wallet (key replacement).

A key replacement is a transfer and an update, handed over together with sequence numbers s+1 and s+2, the
second signed by the new key. Every host's proof binds the owner, so each has to be made again: this node
signs for itself, other machines' proofs are given. A host without a new proof stops the command before
anything is signed, unless it may be dropped; a primary that carries a claim keeps it, because the update
repeats it.
"""

from collections.abc import Sequence
from typing import Any

from meshchain.crypto import is_ecdsa_public_key
from meshchain.ledger import record as rules
from meshchain.ledger import shape
from meshchain.ledger.entry import Record
from meshchain.ledger.operations import Operation, Transfer, Update
from meshchain.rpc.client import idn
from meshchain.rpc.client.errors import WrongUse
from wallet import drafts, hosts, writing
from wallet.context import Wallet
from wallet.errors import RefusalError
from wallet.hosting import read_identity
from wallet.writing import Desk


def give(wallet: Wallet, text: str, key_text: str) -> None:
    """Transfer to ``key_text``, 33 bytes in hexadecimal; the record is empty afterwards."""
    name, key = idn.parse(text).ledger, _owner_key(key_text)
    txids = writing.change(wallet, name, lambda desk: [_transfer(desk, key)])
    writing.finish(wallet, name, "transfer", txids, new_owner=key.hex())


def replace_key(wallet: Wallet, text: str, sources: Sequence[str], *, drop_hosts: bool) -> None:
    """Move the name to the next receiving key and publish its record again."""
    name = idn.parse(text).ledger
    identities = [hosts.parse_identity(read_identity(source)) for source in sources]
    new: list[bytes] = []

    def build(desk: Desk) -> list[Operation]:
        index = desk.payload.receive
        key = desk.keys.receive(index)
        new.append(key)
        record = _proven_again(desk, key, identities, drop_hosts=drop_hosts)
        desk.payload.receive = index + 1
        return [_transfer(desk, key), *_republish(desk, record, desk.keys.receive_private(index))]

    txids = writing.change(wallet, name, build)
    writing.finish(wallet, name, "transfer", txids, new_owner=new[0].hex())


def _transfer(desk: Desk, key: bytes) -> Transfer:
    name = desk.standing
    unsigned = Transfer(name=name.name, reg=name.reg, seq=name.seq + 1, new_owner=key)
    return drafts.signed(unsigned, name.private_key, desk.ledger.genesis)


def _republish(desk: Desk, record: Record, private_key: bytes) -> list[Update]:
    if not record:
        return []
    name = desk.standing
    hosts.check_record(record, desk.ledger.params.consensus)
    unsigned = Update(name=name.name, reg=name.reg, seq=name.seq + 2, record=record)
    return [drafts.signed(unsigned, private_key, desk.ledger.genesis)]


def _proven_again(desk: Desk, owner: bytes, given: Sequence[dict[str, Any]], *, drop_hosts: bool) -> Record:
    """The record with proofs for ``owner``; RefusalError (hosts-unproven) names hosts that lack one."""
    record = desk.standing.record
    old = rules.hosts(record)
    proofs = {identity["key"]: identity for identity in given}
    own = desk.ledger.identity().key if old else b""
    kept, missing = [], []
    for host in old:
        key = shape.raw(host, "key", rules.KEY_SIZE)
        identity = proofs.get(key.hex()) or (desk.ledger.node_proof(desk.standing.name, owner) if key == own else None)
        if identity is None:
            missing.append(host)
        else:
            kept.append(_renewed(desk, host, identity, owner))
    if missing and not drop_hosts:
        raise _unproven(desk, missing, owner)
    rest: Record = {key: value for key, value in record.items() if key != "hosts"}
    return {**rest, "hosts": list(kept)} if kept else rest


def _renewed(desk: Desk, host: hosts.Host, identity: dict[str, Any], owner: bytes) -> hosts.Host:
    """``host`` as it was, claim and unknown keys included, with its new proof."""
    fresh = hosts.from_identity(
        identity,
        label=str(host["label"]),
        name=desk.standing.name,
        owner=owner,
        genesis=desk.ledger.genesis,
    )
    return {**host, "proof": fresh["proof"]}


def _unproven(desk: Desk, missing: Sequence[hosts.Host], owner: bytes) -> RefusalError:
    labels = [str(host["label"]) or hosts.APEX for host in missing]
    return RefusalError(
        "hosts-unproven",
        f"these hosts have not proven themselves to the new key: {', '.join(labels)}. On each of their machines run"
        f" `meshctl identity --for {desk.standing.name} --owner {owner.hex()} --json` and give its output by --host, or"
        " leave them out with --drop-hosts. Nothing was changed",
        hosts=labels,
        new_owner=owner.hex(),
    )


def _owner_key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if not is_ecdsa_public_key(key):
        raise WrongUse(
            "bad-key", f"{text!r} is no owner key: 66 hexadecimal digits, as `meshwallet address` prints them"
        )
    return key
