from typing import TYPE_CHECKING

import click

from wallet.options import WritingCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command("unset", cls=WritingCommand)
@click.argument("name")
@click.argument("record_type", metavar="TYPE")
@click.argument("value", required=False)
@click.option("--label", metavar="L", default="", help="Name of the record under NAME, like www or _443._tcp.")
@pass_wallet
def unset_record(wallet: "Wallet", name: str, record_type: str, value: str | None, label: str) -> None:
    """Remove DNS records of NAME.

    All of a label and type, or only the one with VALUE.
    """
    from meshchain.rpc.client import idn
    from wallet import dns_records, writing

    ledger_name = idn.parse(name).ledger
    at, kind = dns_records.label_and_type(ledger_name, label, record_type)
    text = None if value is None else dns_records.canonical_value(kind, value)

    txids = writing.change(
        wallet, ledger_name, lambda desk: [desk.update(dns_records.drop(desk.standing.record, at, kind, text))]
    )
    writing.finish(wallet, ledger_name, "unset", txids)
