"""The wallet's names as the ledger has them: those it noted, and those on its receiving keys."""

from wallet.derivation import GAP, Keyring
from wallet.keystore.payload import Payload
from wallet.remote import Ledger, Registered


def names(ledger: Ledger, payload: Payload, keys: Keyring) -> list[Registered]:
    """All names of the wallet by name; names that came by transfer are noted in ``payload``.

    Receiving keys are only asked for if some were given out, since the node walks over every name for that.
    """
    found: dict[str, Registered] = {}
    for name in payload.names:
        entry = ledger.registered(name)
        if entry is not None and keys.owns(name, entry.owner, payload.receive):
            found[name] = entry
    if payload.receive:
        owners = [keys.receive(index) for index in range(payload.receive + GAP)]
        found |= {entry.name: entry for entry in ledger.owned_by(owners)}
    for name in found:
        payload.note(name)
    return [found[name] for name in sorted(found)]
