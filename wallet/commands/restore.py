from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet.options import WalletCommand, pass_wallet

if TYPE_CHECKING:
    from wallet.context import Wallet


@click.command(cls=WalletCommand)
@click.argument("words", nargs=-1)
@click.option(
    "--words-file", metavar="FILE|-", type=click.Path(allow_dash=True, path_type=Path), help="Read the words."
)
@click.option("--offline", is_flag=True, help="Do not look for names now; `meshwallet list --rescan` does it later.")
@pass_wallet
def restore(wallet: "Wallet", words: tuple[str, ...], words_file: Path | None, offline: bool) -> None:
    """Bring a wallet back from its seed words.

    Then its names are looked for in the ledger. The words come from a file, a pipe, a prompt, or the command
    line (where other users of the machine can see them). A registration that was under way is taken up again
    by `meshwallet register NAME`.
    """
    from wallet import restoring

    restoring.restore(wallet, restoring.given_words(words, words_file), offline=offline)
