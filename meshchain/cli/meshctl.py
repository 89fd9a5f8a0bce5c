"""meshctl: ask a running node, and tell it."""

import sys
from copy import copy

import click

from meshchain import __version__
from meshchain.cli.commands.chain import chain
from meshchain.cli.commands.dns import dns_group, resolve
from meshchain.cli.commands.names import history, names, proof, show, verify
from meshchain.cli.commands.node import identity, stop, wait
from meshchain.cli.commands.peers import peers
from meshchain.cli.commands.ping import ping
from meshchain.cli.commands.queue import queue
from meshchain.cli.commands.router import neighbours, routes, sessions
from meshchain.cli.commands.rpc import rpc
from meshchain.cli.commands.status import status
from meshchain.cli.commands.tls import tls
from meshchain.cli.commands.traceroute import traceroute
from meshchain.rpc.client.commandline import Group, run
from meshchain.rpc.client.completion import add_completion


@click.group(name="meshctl", cls=Group)
@click.version_option(__version__)
def meshctl() -> None:
    """Ask a node of the mesh, and tell it.

    Exit codes: 0 done, 1 the node refused or the thing is absent, 2 node not reachable or timed out, 3 wrong
    use. With --json, stdout carries one JSON document, errors as {"error": {"code", "message", "data"}}.

    Shell completion: meshctl completion bash|zsh|fish
    """


_neighbors = copy(neighbours)
_neighbors.hidden = True

_COMMANDS: tuple[click.Command, ...] = (
    wait, status, identity, show, names, history, resolve, queue, proof, neighbours, routes, sessions, ping, traceroute,
    peers, chain, tls, verify, dns_group, rpc, stop,
)  # fmt: skip
for _command in _COMMANDS:
    meshctl.add_command(_command)
meshctl.add_command(_neighbors, "neighbors")
add_completion(meshctl)


def main() -> None:
    sys.exit(run(meshctl))


if __name__ == "__main__":
    main()
