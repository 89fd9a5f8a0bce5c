"""What every writing command does: take the name's standing, sign, note, hand over, and perhaps wait.

All of it happens under the wallet's lock, so that two commands at once build on each other. The note is on
disk before the node has the operation: whatever happens in between, the wallet knows what it signed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from meshchain.ledger import operations
from meshchain.ledger.entry import Record
from meshchain.ledger.operations import Operation, Update
from wallet import drafts, hosts, standing
from wallet.context import Wallet
from wallet.derivation import Keyring
from wallet.keystore.payload import Payload
from wallet.remote import Ledger
from wallet.standing import Standing


@dataclass(frozen=True, slots=True)
class Desk:
    """All that a command needs to write its operations for one name."""

    ledger: Ledger
    keys: Keyring
    payload: Payload
    standing: Standing

    def update(self, record: Record) -> Update:
        """A signed update to ``record``; RefusalError with the rule if the ledger would refuse the record."""
        hosts.check_record(record, self.ledger.params.consensus)
        name = self.standing
        unsigned = Update(name=name.name, reg=name.reg, seq=name.seq + 1, record=record)
        return drafts.signed(unsigned, name.private_key, self.ledger.genesis)


Build = Callable[[Desk], Sequence[Operation]]


def change(wallet: Wallet, name: str, build: Build, *, in_grace: bool = False) -> list[str]:
    """Hand over what ``build`` makes of a living name of this wallet; the txids."""
    with wallet.keystore.edit() as edit:
        keys = wallet.keys(edit.payload)
        current = standing.living(wallet.ledger, edit.payload, keys, name)
        if not in_grace:
            standing.check_not_in_grace(current)
        made = build(Desk(wallet.ledger, keys, edit.payload, current))
        note(edit.payload, name, made)
        edit.save()
        return wallet.ledger.hand_over(made)


def note(payload: Payload, name: str, made: Sequence[Operation]) -> None:
    payload.note(name).drafts += [operations.encode(operation) for operation in made]


def finish(wallet: Wallet, name: str, action: str, txids: Sequence[str], **more: Any) -> None:  # noqa: ANN401
    """Wait if asked to, and print the result: {name, action, txids, state, confirmations, …}."""
    confirmations = wallet.follow(txids, name) if wallet.options.wait and txids else 0
    state = "confirmed" if confirmations else "queued"
    document = {"name": name, "action": action, "txids": list(txids), "state": state, "confirmations": confirmations}
    ending = "confirmed" if confirmations else "in the node's queue (--wait follows it)"
    wallet.emit({**document, **more}, f"{name}.mesh: {action} {ending}\n" + "\n".join(f"  {txid}" for txid in txids))
