"""``neighbours``, ``routes``, ``sessions``: what the router stands on, in tables."""

from collections.abc import Iterator, Mapping
from typing import Final

import click

from meshchain.cli import display
from meshchain.cli.commands.names import typed
from meshchain.rpc.client.commandline import Command, pass_session
from meshchain.rpc.client.errors import Json
from meshchain.rpc.client.session import Session

_PAGE: Final = 500


def found(target: str) -> str:
    """A name or an address as the node looks it up: names in other scripts as the ledger has them."""
    return target if target.isascii() else typed(target)


def node_text(node: Mapping[str, Json] | None) -> str:
    """A node by its name, else by the start of its key."""
    if node is None:
        return "-"
    if node["name"] is not None:
        return f"{node['name']}.mesh"
    return display.short(node["key"]) if node["key"] else str(node["ip6"])


def name_text(node: Mapping[str, Json]) -> str:
    """Its name, where its key stands beside."""
    return "-" if node["name"] is None else f"{node['name']}.mesh"


@click.command(cls=Command)
@pass_session
def neighbours(session: Session) -> None:
    """The nodes on its links, proven by their keys.

    Loss and RTT are measured both ways; cost is what routing adds for the link. Who has no name is a guest.
    """
    rows = session.client().call("mesh_neighbours")
    session.emit({"neighbours": rows}, lambda: neighbours_text(rows))


def neighbours_text(rows: list[dict[str, Json]]) -> str:
    head = ("name", "key", "role", "link", "at", "rtt ms", "loss", "queue ms", "cost", "up", "in kB", "out kB")
    return display.table(head, map(_neighbour, rows), right=range(5, 12)) if rows else "no neighbours"


def _neighbour(row: dict[str, Json]) -> tuple[object, ...]:
    return (
        name_text(row),
        display.short(row["key"]),
        row["role"],
        row["link"],
        row["link_address"] or "-",
        number(row["rtt_ms"], 2),
        percent(row["loss"]),
        row["queue_ms"],
        "down" if row["cost"] is None else row["cost"],
        display.span(row["up_s"]),
        f"{row['bytes_in'] / 1000:.1f}",
        f"{row['bytes_out'] / 1000:.1f}",
    )


@click.command(cls=Command)
@pass_session
def routes(session: Session) -> None:
    """The way to every node of the zone.

    The nearest first; with each, the next hop that is taken, the runner-up, and why that lost: metric (it is farther),
    hysteresis (nearer, but not by enough), feasibility (it might lead back here), guest (guests carry nobody's
    packets), direct (the neighbour itself is preferred).
    """
    rows = list(_pages(session, "mesh_routes"))
    session.emit({"routes": rows}, lambda: routes_text(rows))


def routes_text(rows: list[dict[str, Json]]) -> str:
    head = ("to", "key", "metric", "next hop", "link", "runner-up")
    return display.table(head, map(_route, rows), right=(2,)) if rows else "no routes"


def _route(row: dict[str, Json]) -> tuple[object, ...]:
    hop = row["next_hop"]
    return (
        name_text(row), display.short(row["key"]), row["metric"], node_text(hop), hop["link"],
        runner_up_text(row["runner_up"]),
    )  # fmt: skip


def runner_up_text(other: Mapping[str, Json] | None) -> str:
    return "-" if other is None else f"{node_text(other)} ({other['metric']}, {other['why']})"


@click.command(cls=Command)
@pass_session
def sessions(session: Session) -> None:
    """The end-to-end sessions, one for each pair of addresses.

    The last used first; what is sent in them is encrypted from this node to the peer.
    """
    rows = list(_pages(session, "mesh_sessions"))
    session.emit({"sessions": rows}, lambda: sessions_text(rows))


def sessions_text(rows: list[dict[str, Json]]) -> str:
    head = ("peer", "address", "own address", "state", "mtu", "up", "idle", "in kB", "out kB")
    return display.table(head, map(_session, rows), right=range(4, 9)) if rows else "no sessions"


def _session(row: dict[str, Json]) -> tuple[object, ...]:
    return (
        node_text(row), row["peer"], row["own"], row["state"], row["mtu"], display.span(row["up_s"]),
        display.span(row["idle_s"]), f"{row['bytes_in'] / 1000:.1f}", f"{row['bytes_out'] / 1000:.1f}",
    )  # fmt: skip


def _pages(session: Session, method: str) -> Iterator[dict[str, Json]]:
    """All of them; the list may move between two pages, so what has been seen is left out."""
    client, start, seen = session.client(), 0, set()
    while page := client.call(method, start, _PAGE):
        for row in page:
            subject = (row["key"], row.get("own"), row.get("peer"))
            if subject not in seen:
                seen.add(subject)
                yield row
        start += len(page)


def number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share in (0, 1) or share >= 0.1 else f"{100 * share:.1f} %"
