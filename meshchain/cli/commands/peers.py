"""``peers``: who is connected, how well, and who is kept out and why."""

import time
from collections.abc import Sequence
from typing import Final

import click

from meshchain.cli import display
from meshchain.rpc.client.commandline import Command, pass_session
from meshchain.rpc.client.errors import Json, NodeRefused
from meshchain.rpc.client.session import Session

_HEAD: Final = ("peer", "key", "address", "dir", "state", "height", "out kB", "in kB", "ping ms", "up", "score")
_RIGHT: Final = frozenset((0, 5, 6, 7, 8, 9))
"""Columns of numbers."""


@click.command(cls=Command)
@pass_session
def peers(session: Session) -> None:
    """The peers that share the ledger with it, and who is banned.

    A score is what a peer has done wrong, in points that fade by one a minute; 100 are a ban of a day.
    """
    connected, banned = session.client().batch([("getpeerinfo", []), ("listbanned", [])])
    for answer in (connected, banned):
        if isinstance(answer, NodeRefused):
            raise answer
    document = {"peers": connected, "banned": banned}
    session.emit(document, lambda: peers_text(document, time.time()))


def peers_text(document: dict[str, Json], now: float) -> str:
    rows, banned = document["peers"], document["banned"]
    text = display.table(_HEAD, [_row(row) for row in rows], right=_RIGHT) if rows else "no peers"
    return f"{text}\n\n{_bans(banned, now)}" if banned else text


def _row(peer: dict[str, Json]) -> Sequence[object]:
    score, ping = peer["score"], peer["ping_ms"]
    return (
        peer["id"],
        peer["key"][:8],
        peer["address"],
        peer["direction"],
        peer["state"] if peer["purpose"] in ("inbound", "outbound") else f"{peer['state']}, {peer['purpose']}",
        "-" if peer["height"] is None else peer["height"],
        f"{peer['sent'] / 1000:.1f}",
        f"{peer['received'] / 1000:.1f}",
        "-" if ping is None else f"{ping:.1f}",
        display.span(peer["seconds"]),
        f"{score}: {peer['reason']}" if score else score,
    )


def _bans(banned: list[dict[str, Json]], now: float) -> str:
    """Latest first, as listbanned gives them."""
    rows = [(display.short(ban["who"]), display.span(ban["until"] - now), ban["reason"]) for ban in banned]
    return display.table(("banned", "for", "because"), rows)
