from typing import TYPE_CHECKING

import click

from wallet.options import WalletCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command("list", cls=WalletCommand)
@click.option("--rescan", is_flag=True, help="Search the whole ledger for names of this wallet.")
@pass_wallet
def list_names(wallet: "Wallet", rescan: bool) -> None:
    """List the names of this wallet.

    Registrations under way come last.
    """
    from wallet import listing

    listing.list_names(wallet, rescan=rescan)
