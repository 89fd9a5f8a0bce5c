import sys
from typing import TYPE_CHECKING

import click

from wallet.options import WritingCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command(cls=WritingCommand)
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_wallet
def revoke(wallet: "Wallet", name: str, yes: bool) -> None:
    """Make NAME unusable, because its key was stolen.

    It cannot be undone: nobody can use or register the name until it has expired and its grace period is
    over.
    """
    from meshchain.ledger.operations import Revoke
    from meshchain.rpc.client import idn
    from wallet import drafts, writing
    from wallet.writing import Desk

    ledger_name = idn.parse(name).ledger
    if not yes:
        _confirm(ledger_name)

    def build(desk: Desk) -> list[Revoke]:
        name = desk.standing
        unsigned = Revoke(name=name.name, reg=name.reg, seq=name.seq + 1)
        return [drafts.signed(unsigned, name.private_key, desk.ledger.genesis)]

    txids = writing.change(wallet, ledger_name, build)
    writing.finish(wallet, ledger_name, "revoke", txids)


def _confirm(name: str) -> None:
    from meshchain.rpc.client.errors import WrongUse

    if sys.stdin is None or not sys.stdin.isatty():
        raise WrongUse(
            "confirmation-needed", f"revoking {name}.mesh cannot be undone; say --yes (stdin is no terminal)"
        )
    if not click.confirm(f"Revoke {name}.mesh? This cannot be undone", err=True):
        raise WrongUse("not-confirmed", f"{name}.mesh was not revoked")
