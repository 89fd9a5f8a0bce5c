"""What is asked of each server, and what came out."""

import sys
from dataclasses import dataclass
from pathlib import Path

from bench.dns import calls, load, servers
from bench.dns.hsd import Unavailable, hsd
from bench.dns.load import Load
from bench.dns.names import Names

_FEW: int = 50
"""hsd loses questions, and so waits for them, when more are on the way."""


@dataclass(frozen=True, slots=True)
class Nsd:
    """``calm``: at a quarter of its most, which tells how calm the machine is."""

    most: Load
    calm: Load


@dataclass(frozen=True, slots=True)
class Hsd:
    most: Load
    calls: float
    """getnameinfo, a second."""


@dataclass(frozen=True, slots=True)
class Meshd:
    cold: Load
    """Nothing is remembered at its beginning."""
    most: Load
    half: Load
    """At half of that rate."""
    calls: float
    """name_show, a second."""
    grown: int
    """Bytes by which the process grew while it was asked for every name by DNS."""


def ask_nsd(names: Names, folder: Path, seconds: float) -> Nsd:
    _say("nsd")
    with servers.nsd(folder, names.zone) as server:
        most = load.most(server.port, names.questions, seconds)
        return Nsd(most, load.at_rate(server.port, names.questions, seconds, most.per_second / 4))


def ask_hsd(names: Names, folder: Path, seconds: float) -> Hsd | Unavailable:
    _say("hsd")
    try:
        with hsd(folder / "hsd", names.bare) as server:
            runs = [load.most(server.port, names.bare_questions, seconds, waiting) for waiting in (_FEW, 200)]
            most = max(runs, key=lambda run: run.per_second)
            return Hsd(most, calls.per_second(server.rpc, "getnameinfo", names.bare, seconds))
    except Unavailable as why:
        return why


def ask_meshd(names: Names, seconds: float) -> Meshd:
    _say("meshd")
    with servers.meshd(names.datadir) as server:
        shown = calls.per_second(server.rpc, "name_show", names.bare, seconds)
        before = server.memory
        cold = load.once(server.port, names.questions)
        grown = server.memory - before
        most = load.most(server.port, names.questions, seconds)
        half = load.at_rate(server.port, names.questions, seconds, most.per_second / 2)
    return Meshd(cold, most, half, shown, grown)


def _say(what: str) -> None:
    print(f"measuring {what} …", file=sys.stderr)
