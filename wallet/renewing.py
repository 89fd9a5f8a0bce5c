"""The ``renew`` command, for one name and for all."""

from typing import Any, Final

from meshchain.ledger.operations import Renew
from meshchain.rpc.client import idn
from wallet import drafts, owned, standing, writing
from wallet.context import Wallet
from wallet.derivation import Keyring
from wallet.keystore.payload import Payload
from wallet.standing import Standing

BATCH: Final = 100
"""Operations that the node's queue takes at once."""


def renew_one(wallet: Wallet, text: str) -> None:
    """Queue a renewal; one that is in the queue already is reported, not repeated."""
    name = idn.parse(text).ledger
    with wallet.keystore.edit() as edit:
        current = standing.living(wallet.ledger, edit.payload, wallet.keys(edit.payload), name)
        if current.registering:
            raise standing.unfinished(name)
        txids = _under_way(wallet, name) if current.renewing else _hand_over(wallet, edit.payload, [current])
    writing.finish(wallet, name, "renew", txids, expires=current.expires)


def renew_all(wallet: Wallet) -> None:
    """Queue renewals of all names that gain by it; prints {names: [{name, txid | null, reason}…], state}."""
    with wallet.keystore.edit() as edit:
        keys = wallet.keys(edit.payload)
        names = [entry.name for entry in owned.names(wallet.ledger, edit.payload, keys) if entry.status != "revoked"]
        verdicts = {name: _verdict(wallet, edit.payload, keys, name) for name in names}
        due = [verdict for verdict in verdicts.values() if isinstance(verdict, Standing)]
        edit.save()
        txids = dict(zip((item.name for item in due), _hand_over(wallet, edit.payload, due), strict=True))
    if wallet.options.wait and txids:
        wallet.follow(list(txids.values()), due[-1].name)
    _report(wallet, verdicts, txids)


def _verdict(wallet: Wallet, payload: Payload, keys: Keyring, name: str) -> "Standing | str":
    """The standing of a name that gains by a renewal, or why it does not."""
    current = standing.living(wallet.ledger, payload, keys, name)
    if current.renewing:
        return "a renewal is in the queue already"
    if wallet.ledger.height() + 1 + wallet.ledger.params.consensus.expiry <= current.expires:
        return "it lives as long as possible already"
    return current


def _hand_over(wallet: Wallet, payload: Payload, names: list[Standing]) -> list[str]:
    made = [
        drafts.signed(Renew(name=s.name, reg=s.reg, expires=s.expires), s.private_key, wallet.ledger.genesis)
        for s in names
    ]
    for operation in made:
        writing.note(payload, operation.name, [operation])
    batches = [made[at : at + BATCH] for at in range(0, len(made), BATCH)]
    return [txid for batch in batches for txid in wallet.ledger.hand_over(batch)]


def _under_way(wallet: Wallet, name: str) -> list[str]:
    return [item.txid for item in wallet.ledger.queue() if item.name == name and item.kind == "renew" and item.working]


def _report(wallet: Wallet, verdicts: dict[str, Any], txids: dict[str, str]) -> None:
    reasons = {name: "renewal queued" if name in txids else str(verdict) for name, verdict in verdicts.items()}
    rows = [{"name": name, "txid": txids.get(name), "reason": reason} for name, reason in reasons.items()]
    state = "confirmed" if wallet.options.wait and txids else "queued"
    text = "\n".join(f"{name}.mesh: {reason}" for name, reason in reasons.items()) or "this wallet has no names"
    wallet.emit({"names": rows, "state": state}, text)
