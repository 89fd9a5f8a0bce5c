from typing import TYPE_CHECKING

import click

from wallet.options import WritingCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command(cls=WritingCommand)
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Renew all names of this wallet.")
@pass_wallet
def renew(wallet: "Wallet", name: str | None, every: bool) -> None:
    """Move the expiry of NAME; also valid in the grace period.

    A node renews the names it hosts by itself, so this is for names without a host, and for impatience.
    """
    from wallet import renewing

    if every == (name is not None):
        raise click.UsageError("give a NAME or --all")
    if name is None:
        renewing.renew_all(wallet)
    else:
        renewing.renew_one(wallet, name)
