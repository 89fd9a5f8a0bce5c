from typing import TYPE_CHECKING

import click

from wallet.options import WalletCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command(cls=WalletCommand)
@click.argument("name")
@pass_wallet
def show(wallet: "Wallet", name: str) -> None:
    """Show NAME, and what is under way for it.

    As the ledger has it, whether it is this wallet's, and what the node still works on.
    """
    from wallet import listing

    listing.show(wallet, name)
