"""meshwallet: the command line of the wallet."""

import sys

from meshchain.rpc.client.commandline import run
from meshchain.rpc.client.completion import add_completion
from wallet.commands.address import address
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
from wallet.commands.transfer import transfer
from wallet.commands.unset import unset_record
from wallet.commands.words import words
from wallet.options import WalletGroup

COMMANDS = (
    create, restore, words, address, register, list_names, show, set_record, unset_record, host, renew, transfer,
    revoke, sign,
)  # fmt: skip


def _program() -> WalletGroup:
    group = WalletGroup(
        "meshwallet",
        help="Register and keep names: keys, records, hosts, renewals.\n\nNAME is written with or without .mesh.\n"
        "Completion for bash, zsh and fish: meshwallet completion --help.",
        no_args_is_help=True,
    )
    for command in COMMANDS:
        group.add_command(command)
    add_completion(group)
    return group


program = _program()


def main() -> None:
    sys.exit(run(program))


if __name__ == "__main__":
    main()
