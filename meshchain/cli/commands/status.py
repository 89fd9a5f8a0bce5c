"""``status``: one screen that says whether all is well, and what runs out when."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from meshchain.cli import display
from meshchain.rpc.client.commandline import Command, pass_session
from meshchain.rpc.client.errors import Json, NodeRefused
from meshchain.rpc.client.session import Session

if TYPE_CHECKING:
    from meshchain.ledger.params import Params
    from meshchain.rpc.client.connection import Call

_QUESTIONS: Final[tuple[tuple[str, "Call"], ...]] = (
    ("chain", ("getblockchaininfo", [])),
    ("node", ("getnetworkinfo", [])),
    ("identity", ("mesh_identity", [])),
    ("mining", ("getmininginfo", [])),
    ("queue", ("listqueue", [])),
    ("names", ("name_list", [])),
    ("uptime", ("uptime", [])),
    ("router", ("mesh_status", [])),
)
_MOST: Final = 8
"""Lines that a part of the screen may take."""
_MAY_BE_REFUSED: Final = frozenset({"names", "router"})
"""While the node syncs; while no router runs."""
_MOST_DROPS: Final = 4


@click.command(cls=Command)
@pass_session
def status(session: Session) -> None:
    """One screen: chain, node, names, alarms."""
    answers = session.client().batch([call for _, call in _QUESTIONS], refusals=True)
    document: dict[str, Json] = {}
    for (part, _), answer in zip(_QUESTIONS, answers, strict=True):
        if isinstance(answer, NodeRefused) and part not in _MAY_BE_REFUSED:
            raise answer
        document[part] = None if isinstance(answer, NodeRefused) else answer
    network = document["chain"]["chain"]
    if network != session.network:
        session.note(f"this node is on {network}, not on {session.network}: dates are for {session.network}")
    session.emit(document, lambda: status_text(document, session.params, time.time()))


def status_text(document: dict[str, Json], params: "Params", now: float) -> str:
    return display.fields(_lines(document, params, now))


def _lines(document: dict[str, Json], params: "Params", now: float) -> Iterator[tuple[str, object]]:
    chain, node, me = document["chain"], document["node"], document["identity"]
    yield "network", f"{chain['chain']} (meshd {node['version']}, up {display.span(document['uptime'])})"
    yield "tip", f"height {chain['blocks']}, {_age(chain, now)}, {display.short(chain['bestblockhash'])}"
    yield "sync", _sync(chain)
    yield "peers", node["connections"]
    yield "mining", _mining(document["mining"])
    yield "node", f"{me['ip6']}, {'a guest' if me['name'] is None else me['name'] + '.mesh'}"
    yield "router", "\n".join(_router(document["router"]))
    yield "queue", _queue(document["queue"])
    yield "names", _names(document["names"], params)
    yield (
        "alarms",
        "\n".join(f"{a['message']} (since {display.moment(a['since'])})" for a in node["warnings"]) or "none",
    )


def _router(router: dict[str, Json] | None) -> Iterator[str]:
    if router is None:
        yield "not running"
        return
    links = display.count(len(router["links"]), "link")
    met = f"{display.count(router['neighbours'], 'neighbour')} on {links}"
    parts = [met, display.count(router["routes"], "route"), display.count(router["sessions"], "session")]
    yield ", ".join([*parts, "forwards" if router["forwards"] else "a leaf: it carries nobody's packets"])
    yield from (f"{item['part']} off: {item['reason']}" for item in router["off"])
    rules = [f"rule {item['rule']}: {display.count(item['packets'], 'packet')}" for item in router["rules"]]
    yield from _head(rules, "see `meshctl rpc mesh_status`")
    drops = sorted(router["counters"].items(), key=lambda item: (-item[1], item[0]))
    if drops:
        yield "dropped: " + ", ".join(f"{rule} {count}" for rule, count in drops[:_MOST_DROPS])


def _sync(chain: dict[str, Json]) -> str:
    if not chain["initialblockdownload"]:
        return "done" if chain["sync"] == "synced" else f"done ({chain['sync']})"
    behind = chain["headers"] - chain["blocks"]
    return f"at {chain['blocks']} of {chain['headers']}, {display.count(behind, 'block')} to go ({chain['sync']})"


def _age(chain: dict[str, Json], now: float) -> str:
    return "the genesis block" if chain["blocks"] == 0 else f"{display.span(now - chain['time'])} old"


def _mining(mining: dict[str, Json]) -> str:
    if not mining["enabled"]:
        return "off"
    rate = f"{mining['hashrate']:.1f} hashes/s, " if mining["active"] else ""
    return f"{'on' if mining['active'] else 'waiting'}: {rate}{mining['reason']}".removesuffix(": ")


def _queue(queue: list[dict[str, Json]]) -> str:
    """How many operations are under way, and each that went wrong."""
    waiting = [item for item in queue if item["state"] in ("queued", "committed", "pending")]
    wrong = [item for item in queue if item["state"] in ("conflict-lost", "expired", "refused")]
    lines = [f"{display.count(len(waiting), 'operation')} under way" if waiting else "nothing under way"]
    failures = [f"{item['kind']} {item['name'] or ''}: {item['state']}, {item['reason']}" for item in wrong]
    return "\n".join(lines + _head(failures, "see `meshctl queue`"))


def _names(names: list[dict[str, Json]] | None, params: "Params") -> str:
    if names is None:
        return "unknown until synced"
    urgent = sorted(names, key=lambda name: int(name["expires_in"]))
    lines = [f"{name['name']}.mesh  {name_state(name, params)}" for name in urgent]
    return "\n".join(_head(lines, "see `meshctl names`")) or "none"


def _head(lines: list[str], rest: str) -> list[str]:
    """The first of ``lines``, so that all of them stay on one screen."""
    if len(lines) <= _MOST:
        return lines
    return [*lines[: _MOST - 1], f"and {len(lines) - _MOST + 1} more: {rest}"]


def name_state(name: dict[str, Json], params: "Params") -> str:
    """The deadline that matters, and what a name is if not active: until expiry, or in grace until its loss."""
    if name["status"] == "active":
        return f"expires {display.deadline(name['expires_in'], params)}"
    lost = display.deadline(name["expires_in"] + params.consensus.grace, params)
    return f"{'in grace, renew it: lost' if name['status'] == 'grace' else 'revoked, free again'} {lost}"
