from typing import TYPE_CHECKING

import click

from wallet.options import WalletCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command(cls=WalletCommand)
@click.argument("name")
@click.argument("message")
@pass_wallet
def sign(wallet: "Wallet", name: str, message: str) -> None:
    """Sign MESSAGE with the owner key of NAME.

    `meshctl verify NAME MESSAGE SIGNATURE` checks it.
    """
    from meshchain.crypto import sign_ecdsa
    from meshchain.crypto.hashing import tagged_hash
    from meshchain.rpc.client import idn
    from wallet import standing

    ledger_name = idn.parse(name).ledger
    payload = wallet.keystore.open()
    current = standing.living(wallet.ledger, payload, wallet.keys(payload), ledger_name)
    digest = tagged_hash("message", wallet.ledger.genesis, message.encode())
    signature = sign_ecdsa(current.private_key, digest).hex()
    document = {"name": ledger_name, "owner": current.owner.hex(), "message": message, "signature": signature}
    wallet.emit(document, signature)
