from typing import TYPE_CHECKING

import click

from wallet.options import WritingCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command(cls=WritingCommand)
@click.argument("name")
@click.option("--claim", metavar="ADDR", help="Also claim an address of eeee::/80, like eeee::1.")
@click.option("--no-host", is_flag=True, help="Leave the record empty: do not bind the name to this node.")
@pass_wallet
def register(wallet: "Wallet", name: str, claim: str | None, no_host: bool) -> None:
    """Register NAME, bound to this node.

    Makes a wallet if there is none. The node does the rest by itself. Typed again, it reports how far the
    registration is, or takes up one that was interrupted.
    """
    from wallet import registering

    registering.register(wallet, name, claim, no_host=no_host)
