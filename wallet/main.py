"""meshwallet: the command line of the wallet."""

import sys

import click

from meshchain import __version__
from meshchain.rpc.client.commandline import run
from meshchain.rpc.client.completion import add_completion
from wallet.commands.address import address
from wallet.commands.browser import browser
from wallet.commands.create import create
from wallet.commands.host import host
from wallet.commands.list import list_names
from wallet.commands.register import register
from wallet.commands.renew import renew
from wallet.commands.restore import restore
from wallet.commands.revoke import revoke
from wallet.commands.set import set_record
from wallet.commands.show import show
from wallet.commands.sign import sign
from wallet.commands.tls import tls
from wallet.commands.transfer import transfer
from wallet.commands.unset import unset_record
from wallet.commands.words import words
from wallet.options import WalletGroup

COMMANDS = (
    create, restore, words, address, register, list_names, show, set_record, unset_record, host, renew, transfer,
    revoke, sign, tls, browser,
)  # fmt: skip


@click.group(name="meshwallet", cls=WalletGroup)
@click.version_option(__version__)
def program() -> None:
    """Register and keep names: keys, records, hosts, renewals.

    NAME is written with or without .mesh, in any script.

    Exit codes: 0 done, 1 the node refused or the thing is absent, 2 node not reachable or timed out, 3 wrong
    use, 4 wallet or passphrase. With --json, stdout carries one JSON document, errors as {"error": {"code",
    "message", "data"}}; progress and seed words go to stderr.

    Shell completion: meshwallet completion bash|zsh|fish
    """


for _command in COMMANDS:
    program.add_command(_command)
add_completion(program)


def main() -> None:
    sys.exit(run(program))


if __name__ == "__main__":
    main()
