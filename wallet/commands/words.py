from typing import TYPE_CHECKING

import click

from wallet.options import WalletCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command(cls=WalletCommand)
@pass_wallet
def words(wallet: "Wallet") -> None:
    """Show the seed words (with --json on stderr; stdout then only counts them)."""
    sentence = wallet.keystore.open().words
    if wallet.session.json:
        wallet.note(sentence)
    wallet.emit({"count": len(sentence.split())}, sentence)
