from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet.options import WritingCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command(cls=WritingCommand)
@click.argument("name")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the files go.  [default: NAME.mesh-tls]",
)
@click.option("--port", metavar="N", type=click.IntRange(1, 65535), default=443, show_default=True)
@click.option(
    "--ttl",
    metavar="S",
    type=click.IntRange(0, 604800),
    default=3600,
    show_default=True,
    help="Seconds that caches may keep the record.",
)
@click.option("--rollover", is_flag=True, help="Replace the key, step by step: say it again when told.")
@pass_wallet
def tls(wallet: "Wallet", name: str, out: Path | None, port: int, ttl: int, rollover: bool) -> None:
    """Make a key and certificate for a server of NAME, and publish what vouches for it.

    The record 3 1 1 at _443._tcp means the key, so the certificate may be renewed freely. --rollover replaces the key:
    the new record stands beside the old one for two TTLs before the files are exchanged, and the old one goes two TTLs
    later.
    """
    from meshchain.rpc.client import idn
    from wallet import tls_serving
    from wallet.tls_serving import Place

    place = Place(idn.parse(name).ledger, port, ttl)
    tls_serving.serve(wallet, place, out or Path(f"{place.host}-tls"), rollover=rollover)
