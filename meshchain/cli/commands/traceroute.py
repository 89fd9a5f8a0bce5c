"""``traceroute`` and the program ``meshtraceroute``: every hop there and back, by its own signed word."""

import sys
from collections.abc import Iterator
from copy import copy

import click

from meshchain.cli import display
from meshchain.cli.commands.router import found, name_text, node_text, number, percent, runner_up_text
from meshchain.rpc.client.commandline import Command, pass_session, run
from meshchain.rpc.client.errors import Json
from meshchain.rpc.client.session import Session

_HEAD = ("hop", "name", "key", "role", "link", "rtt ms", "loss", "queue ms", "mtu", "cost", "next hop", "runner-up")
_RIGHT = frozenset((0, 5, 6, 7, 8, 9))


@click.command(cls=Command)
@click.option("--one-way", is_flag=True, help="Not the way back.")
@click.option("-W", "--timeout", metavar="SECONDS", type=click.FloatRange(0.001, 60), default=3, show_default=True,
              help="How long to wait for reports.")  # fmt: skip
@click.argument("target", metavar="NAME|ADDR")
@pass_session
def traceroute(session: Session, one_way: bool, timeout: float, target: str) -> int:
    """Every hop on the way to a node and back.

    One packet takes the way of data; each hop reports on it in a message that it signs over the report before, and
    names the neighbours on both sides: what is shown is checked. A hop that keeps silent, withholds, alters or invents
    reports shows as a gap. Each row has the link by which the hop sends on, its next hop, and the next hop that came
    second, with its metric and why it lost. Exits 1 if the target was not reached.
    """
    client = session.client(timeout=timeout + 10)
    document = client.call("mesh_traceroute", found(target), {"reverse": not one_way, "timeout": timeout})
    session.emit(document, lambda: trace_text(document))
    return 0 if document["forward"]["reached"] else 1


def trace_text(document: dict[str, Json]) -> str:
    back = document["reverse"]
    parts = [f"to {node_text(document)} ({document['ip6']}): {_verdict(document)}", path_text(document["forward"])]
    if back is not None:
        parts += ["and back:", path_text(back)]
    return "\n\n".join(parts)


def _verdict(document: dict[str, Json]) -> str:
    forward, rtt = document["forward"], document["rtt_ms"]
    if not forward["reached"]:
        return "not reached"
    hops = display.count(forward["steps"][-1]["hop"], "hop")
    time = "" if rtt is None else f", back after {rtt:.2f} ms"
    checked = "every report signed and checked" if document["whole"] else "with gaps"
    return f"{hops}{time}, {checked}"


def path_text(path: dict[str, Json]) -> str:
    """A table of the hops, with a line for every gap where it is."""
    steps = path["steps"]
    end = steps[-1] if path["reached"] else None
    hops = [_row(step, None if step is end else step["egress"]) for step in steps if step["kind"] == "hop"]
    head, *rows = display.table(_HEAD, hops, right=_RIGHT).split("\n")
    lines = iter(rows)
    return "\n".join([head, *(next(lines) if s["kind"] == "hop" else _gap(s) for s in path["steps"])])


def _row(step: dict[str, Json], link: dict[str, Json] | None) -> tuple[object, ...]:
    """``link``: by which the probe went on; None at the end of the way."""
    head = (step["hop"], name_text(step), display.short(step["key"]), step["role"])
    if link is None:
        return (*head, *"-------", "-")
    measured = number(link["rtt_ms"], 2), percent(link["loss"]), link["queue_ms"], link["mtu"], link["cost"]
    return (*head, link["medium"], *measured, node_text(link["neighbour"]), runner_up_text(step["runner_up"]))


def _gap(step: dict[str, Json]) -> str:
    return f"  *  gap: {', '.join(_words(step))}"


def _words(step: dict[str, Json]) -> Iterator[str]:
    if step["suspects"]:
        yield " or ".join(f"{node_text(node)} [{display.short(node['key'])}]" for node in step["suspects"])
    if step["missing"]:
        yield f"{display.count(step['missing'], 'hop')} missing"
    yield step["message"]


meshtraceroute = copy(traceroute)
meshtraceroute.name = "meshtraceroute"


def main() -> None:
    sys.exit(run(meshtraceroute))
