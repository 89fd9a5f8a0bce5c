from typing import TYPE_CHECKING

import click

from wallet.options import WritingCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command(cls=WritingCommand)
@click.argument("name")
@click.argument("key", required=False)
@click.option("--new-key", is_flag=True, help="Replace the owner key by a fresh one of this wallet.")
@click.option(
    "--host",
    "identities",
    metavar="FILE|-|JSON",
    multiple=True,
    help="With --new-key: a host's identity for the new key (`meshctl identity --for NAME --owner NEW`).",
)
@click.option("--drop-hosts", is_flag=True, help="With --new-key: leave out hosts that cannot be proven again.")
@pass_wallet
def transfer(
    wallet: "Wallet", name: str, key: str | None, new_key: bool, identities: tuple[str, ...], drop_hosts: bool
) -> None:
    """Give NAME to the owner of KEY.

    KEY is what `meshwallet address` shows there. A transfer empties the record. With --new-key the name stays
    in this wallet under a fresh key, and the record is published again right after it: hosts have to prove
    themselves to the new key, which this node does for itself; other machines' proofs come by --host.
    """
    from wallet import transferring

    if new_key == (key is not None):
        raise click.UsageError("give a KEY or --new-key")
    if key is not None:
        transferring.give(wallet, name, key)
    else:
        transferring.replace_key(wallet, name, identities, drop_hosts=drop_hosts)
