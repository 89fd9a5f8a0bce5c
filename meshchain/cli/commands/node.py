"""The node itself: wait for it, who it is, stop it."""

import json
import time
from typing import TYPE_CHECKING, Final

import click

from meshchain.cli import display
from meshchain.cli.commands.names import typed
from meshchain.rpc.client.commandline import Command, pass_session
from meshchain.rpc.client.errors import ClientError, Json, NodeRefused, NodeUnreachable, WrongUse
from meshchain.rpc.client.session import Session

if TYPE_CHECKING:
    from meshchain.rpc.client.connection import Client

_POLL: Final = 0.2
"""Seconds between two questions of ``wait``."""
_QUIET: Final = 2.0
"""Seconds that a node may take to start before a word about it; then advice is due."""


@click.command(cls=Command)
@click.option("--timeout", metavar="SECONDS", type=click.FloatRange(min=0), default=60, show_default=True)
@pass_session
def wait(session: Session, timeout: float) -> None:
    """Wait until the node is ready.

    It answers, its ledger is open and initial sync is over. Peers and mining are not waited for. Exits 2 when the
    time is up, and says what was missing.
    """
    start, shown = time.monotonic(), ""
    client = session.client(timeout=max(0.1, min(5, timeout)))
    while True:
        state = _state(client)
        waited = time.monotonic() - start
        if isinstance(state, dict):
            document = {"network": state["chain"], "height": state["blocks"], "waited": round(waited, 3)}
            session.emit(document, f"ready at height {state['blocks']} of {state['chain']}")
            return
        if waited >= timeout:
            raise NodeUnreachable("timeout", f"not ready after {timeout:g} s: {state}", last=state)
        if state != shown and waited >= _QUIET:
            session.note(state)
            shown = state
        time.sleep(min(_POLL, max(0, start + timeout - time.monotonic())))


def _state(client: "Client") -> dict[str, Json] | str:
    """getblockchaininfo's answer once sync is over; before that, what is missing."""
    try:
        info: dict[str, Json] = client.call("getblockchaininfo")
    except (NodeUnreachable, NodeRefused) as error:
        return error.message
    if info["initialblockdownload"]:
        return f"syncing: height {info['blocks']} of {max(info['headers'], info['blocks'])}"
    return info


@click.command(cls=Command)
@click.option("--for", "name", metavar="NAME", help="Prove this node for a record of NAME.")
@click.option("--owner", metavar="KEY", help="The owner key of NAME, 66 hexadecimal digits.")
@pass_session
def identity(session: Session, name: str | None, owner: str | None) -> None:
    """The node's key and address.

    With --for and --owner: the node's proof that it agrees to stand in the record of NAME, as the JSON that
    `meshwallet host add` takes.
    """
    if (name is None) != (owner is None):
        raise WrongUse("usage", "--for NAME and --owner KEY go together", help="meshctl identity --help")
    if name is not None:
        document = session.client().call("signnodeproof", typed(name), owner)
        session.emit(document, json.dumps(document))
        return
    document = session.client().call("mesh_identity")
    session.emit(document, lambda: _identity_text(document))


def _identity_text(me: dict[str, Json]) -> str:
    name = "none: this node is a guest" if me["name"] is None else f"{me['name']}.mesh"
    return display.fields(
        [("key", me["key"]), ("address", me["ip6"]), ("name", name), ("zone", me["zone"]), ("network", me["network"])]
    )


@click.command(cls=Command)
@pass_session
def stop(session: Session) -> None:
    """Stop the node cleanly."""
    said = session.client().call("stop")
    if not isinstance(said, str):
        raise ClientError("bad-answer", "the node's answer to stop is no text")
    session.emit({"message": said}, said)
