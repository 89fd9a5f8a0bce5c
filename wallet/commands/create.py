from typing import TYPE_CHECKING

import click

from wallet.options import WalletCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command(cls=WalletCommand)
@pass_wallet
def create(wallet: "Wallet") -> None:
    """Make a wallet with fresh seed words.

    The words are shown once, on stderr. `meshwallet register NAME` makes a wallet by itself, so this is for
    those who want to have it before.
    """
    from wallet import creation

    words = creation.fresh_words()
    protected = creation.create(wallet, words)
    creation.show_words(wallet, words)
    document = {"path": str(wallet.path), "network": wallet.session.network, "protected": protected}
    wallet.emit(document, f"made a new wallet at {wallet.path}")
