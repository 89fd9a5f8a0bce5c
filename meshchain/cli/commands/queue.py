"""``queue``: what this node promised to bring into the chain, and how far it is."""

import click

from meshchain.cli import display
from meshchain.rpc.client.commandline import Command, pass_session
from meshchain.rpc.client.errors import Json
from meshchain.rpc.client.session import Session


@click.command(cls=Command)
@pass_session
def queue(session: Session) -> None:
    """What this node brings into the chain.

    Each operation's state, the reason, and when that will change; then those that are confirmed.
    """
    document = session.client().call("listqueue")
    session.emit(document, lambda: queue_text(document))


def queue_text(items: list[dict[str, Json]]) -> str:
    if not items:
        return "the queue is empty"
    settled = [item for item in items if item["state"] == "confirmed"]
    parts = [_item_text(item) for item in items if item not in settled]
    if settled:
        parts.append("\n".join(map(_settled_line, settled)))
    return "\n\n".join(parts)


def _settled_line(item: dict[str, Json]) -> str:
    """Confirmed ones are kept for the life of their name, in case a reorg undoes them: a line each is enough."""
    return f"{_what(item)}: confirmed({item['confirmations']}), {item['reason']}, txid {item['txid']}"


def _what(item: dict[str, Json]) -> str:
    return " ".join(filter(None, (item["kind"], item["name"] and f"{item['name']}.mesh")))


def _item_text(item: dict[str, Json]) -> str:
    return f"{_what(item)}: {item['state']}\n" + display.fields(
        [
            ("txid", item["txid"]),
            ("reason", item["reason"] or None),
            ("next", item["next_change"] or None),
            ("stamp", item["stamp"] and stamp_text(item["stamp"])),
            ("blocks to go", item["blocks_to_go"]),
            ("winner", item["winner"]),
        ],
        indent="  ",
    )


def stamp_text(stamp: dict[str, Json]) -> str:
    """Progress of a stamp; the times are expectations, since the search is a lottery."""
    parts = [f"{stamp['percent']:.0f} % of {stamp['bits']} bits", f"{stamp['rate']:.1f} hashes/s"]
    if stamp["expected_s"] is not None:
        parts.append(f"about {display.span(stamp['expected_s'])} left")
    if stamp["bound95_s"] is not None:
        parts.append(f"95 % within {display.span(stamp['bound95_s'])}")
    return ", ".join(parts)
