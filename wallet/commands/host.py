from typing import TYPE_CHECKING

import click

from wallet.options import WalletGroup, WritingCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet

_VALUES = """\b
VALUES say which node:
  none            this wallet's own node
  FILE, - or {…}  what `meshctl identity --for NAME --owner KEY --json` printed there (- reads stdin)
  KEY [IP] PROOF  the same, typed"""


@click.group(cls=WalletGroup)
def host() -> None:
    """Say which nodes a name leads to. LABEL @ is the name itself."""


@host.command("add", cls=WritingCommand, help=f"Add a host under LABEL.\n\n{_VALUES}", short_help="Add a host.")
@click.argument("name")
@click.argument("label")
@click.argument("values", nargs=-1)
@click.option("--claim", metavar="ADDR", help="For @: claim an address of eeee::/80, like eeee::1.")
@pass_wallet
def add(wallet: "Wallet", name: str, label: str, values: tuple[str, ...], claim: str | None) -> None:
    from wallet import hosting, hosts

    hosting.put(wallet, "host add", hosts.add, name, label, values, claim)


@host.command(
    "replace",
    cls=WritingCommand,
    help=f"Put a host in the place of those of LABEL.\n\n{_VALUES}",
    short_help="Put another host in the place of LABEL.",
)
@click.argument("name")
@click.argument("label")
@click.argument("values", nargs=-1)
@click.option("--claim", metavar="ADDR", help="For @: claim an address of eeee::/80, like eeee::1.")
@pass_wallet
def replace(wallet: "Wallet", name: str, label: str, values: tuple[str, ...], claim: str | None) -> None:
    from wallet import hosting, hosts

    hosting.put(wallet, "host replace", hosts.replace, name, label, values, claim)


@host.command("remove", cls=WritingCommand)
@click.argument("name")
@click.argument("label")
@click.argument("key", required=False)
@pass_wallet
def remove(wallet: "Wallet", name: str, label: str, key: str | None) -> None:
    """Remove the hosts of LABEL (only the one with KEY, if given)."""
    from wallet import hosting

    hosting.remove(wallet, name, label, key)
