from typing import TYPE_CHECKING

import click

from wallet.options import WritingCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command("set", cls=WritingCommand)
@click.argument("name")
@click.argument("record_type", metavar="TYPE")
@click.argument("value")
@click.option("--label", metavar="L", default="", help="Name of the record under NAME, like www or _443._tcp.")
@click.option("--ttl", metavar="S", type=int, default=3600, show_default=True, help="Seconds that caches may keep it.")
@click.option("--add", is_flag=True, help="Keep the other records of this label and type.")
@pass_wallet
def set_record(wallet: "Wallet", name: str, record_type: str, value: str, label: str, ttl: int, add: bool) -> None:
    """Set a DNS record of NAME.

    Like: set alice TXT "hello"; set alice A 192.0.2.1 --label www. Records of the same label and type are replaced.
    """
    from meshchain.rpc.client import idn
    from wallet import dns_records, writing

    ledger_name = idn.parse(name).ledger
    entry = dns_records.parse(ledger_name, label, record_type, ttl, value)

    txids = writing.change(
        wallet, ledger_name, lambda desk: [desk.update(dns_records.put(desk.standing.record, entry, keep=add))]
    )
    writing.finish(wallet, ledger_name, "set", txids, record=list(entry))
