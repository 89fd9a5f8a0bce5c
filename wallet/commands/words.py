from typing import TYPE_CHECKING

import click

from wallet.options import WalletCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command(cls=WalletCommand)
@pass_wallet
def words(wallet: "Wallet") -> None:
    """Show the seed words.

    With --json they go to stderr, and stdout only counts them.
    """
    sentence = wallet.keystore.open().words
    if wallet.session.json:
        wallet.note(sentence)
    wallet.emit({"count": len(sentence.split())}, sentence)
