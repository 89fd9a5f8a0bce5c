from typing import TYPE_CHECKING

import click

from wallet.options import WalletCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command(cls=WalletCommand)
@click.option("--new", is_flag=True, help="Give out the next key instead of the last one again.")
@pass_wallet
def address(wallet: "Wallet", new: bool) -> None:
    """Show a key of this wallet to which others can transfer names."""
    with wallet.keystore.edit() as edit:
        if new or edit.payload.receive == 0:
            edit.payload.receive += 1
        index = edit.payload.receive - 1
        key = wallet.keys(edit.payload).receive(index).hex()
    if new:
        _warn_of_gap(wallet, index)
    wallet.emit({"address": key, "index": index}, key)


def _warn_of_gap(wallet: "Wallet", index: int) -> None:
    from wallet.derivation import GAP

    if index >= GAP:
        wallet.warn(
            f"this is key number {index}. Restoring from words looks {GAP} keys beyond the last one that owns a name:"
            " do not give out many that are never used"
        )
