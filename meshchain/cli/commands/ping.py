"""``ping``: echoes through the mesh, one by one, and what they come to."""

import sys
import time
from dataclasses import dataclass, field
from math import sqrt
from typing import Final

import click

from meshchain.cli import display
from meshchain.cli.commands.router import found
from meshchain.rpc.client.commandline import Command, pass_session
from meshchain.rpc.client.errors import Json
from meshchain.rpc.client.session import Session, flush_stdout

_UNASKED: Final = 4
"""Questions where no terminal shows them one by one and nobody can press Ctrl-C."""
_PROBLEMS: Final = {
    "unreachable": "unreachable: no route, no session, or nobody holds the address",
    "too-big": "too big for the way",
    "hop-limit": "lost: it passed too many hops",
}


@dataclass
class Tally:
    """Answers so far, and their summary."""

    target: str
    answers: list[dict[str, Json]] = field(default_factory=list)

    @property
    def times(self) -> list[float]:
        return [answer["rtt_ms"] for answer in self.answers if answer["problem"] is None]

    def document(self) -> dict[str, Json]:
        last = self.answers[-1] if self.answers else {"name": None, "ip6": None}
        lost = len(self.answers) - len(self.times)
        return {
            "target": self.target,
            "name": last["name"],
            "ip6": last["ip6"],
            "sent": len(self.answers),
            "received": len(self.times),
            "loss": round(lost / len(self.answers), 4) if self.answers else 0.0,
            "rtt_ms": spread(self.times),
            "replies": [{k: v for k, v in answer.items() if k not in ("name", "ip6")} for answer in self.answers],
        }

    def text(self) -> str:
        document = self.document()
        lines = [
            f"--- {self.target} ping statistics ---",
            f"{document['sent']} sent, {document['received']} received, {100 * document['loss']:.0f} % lost",
        ]
        if times := document["rtt_ms"]:
            lines.append("rtt " + ", ".join(f"{word} {value:.2f}" for word, value in times.items()) + " ms")
        return "\n".join(lines)


def spread(times: list[float]) -> dict[str, float] | None:
    """Milliseconds; ``mdev`` is the standard deviation. None for none."""
    if not times:
        return None
    mean = sum(times) / len(times)
    deviation = sqrt(sum((t - mean) ** 2 for t in times) / len(times))
    return {"min": min(times), "avg": round(mean, 3), "max": max(times), "mdev": round(deviation, 3)}


@click.command(cls=Command)
@click.option("-c", "--count", metavar="N", type=click.IntRange(1, 65535), help="Stop after N questions.")
@click.option("-i", "--interval", metavar="SECONDS", type=click.FloatRange(min=0), default=1, show_default=True)
@click.option("-W", "--timeout", metavar="SECONDS", type=click.FloatRange(0.001, 60), default=2, show_default=True,
              help="How long to wait for each answer.")  # fmt: skip
@click.option("-s", "--size", metavar="BYTES", type=click.IntRange(0, 1227), default=56, show_default=True)
@click.argument("target", metavar="NAME|ADDR")
@pass_session
def ping(session: Session, count: int | None, interval: float, timeout: float, size: int, target: str) -> int:
    """Echo through the end-to-end session with a node.

    It goes where data goes, and needs no TUN device on either side: node answers node. Without -c it goes on until
    Ctrl-C; where the output is no terminal, and with --json, it stops after 4. Exits 1 if no answer came.
    """
    tally = Tally(target)
    endless = sys.stdout.isatty() and not session.json
    try:
        _ask(session, tally, count or (65535 if endless else _UNASKED), (interval, timeout, size))
    except KeyboardInterrupt:
        session.note("")
    session.emit(tally.document(), tally.text)
    return 0 if tally.times else 1


def _ask(session: Session, tally: Tally, count: int, settings: tuple[float, float, int]) -> None:
    interval, timeout, size = settings
    client = session.client(timeout=timeout + 10)
    due = time.monotonic()
    for seq in range(1, count + 1):
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due, time.monotonic() - interval) + interval
        answer = client.call("mesh_ping", found(tally.target), {"seq": seq, "size": size, "timeout": timeout})
        tally.answers.append(answer)
        if not session.json:
            session.emit(None, ("" if seq > 1 else f"PING {_who(answer)}: {size} bytes\n") + _line(answer, timeout))
            flush_stdout()


def _who(answer: dict[str, Json]) -> str:
    return f"{answer['name']}.mesh ({answer['ip6']})" if answer["name"] else str(answer["ip6"])


def _line(answer: dict[str, Json], timeout: float) -> str:
    seq, problem = answer["seq"], answer["problem"]
    if problem == "timeout":
        return f"seq {seq}: no answer within {timeout:g} s"
    if problem is not None:
        return f"seq {seq}: {_PROBLEMS.get(problem, problem)}"
    there, back = answer["hops_there"], answer["hops_back"]
    hops = display.count(there, "hop") if there == back else f"{display.count(there, 'hop')} there, {back} back"
    return f"seq {seq}: {answer['rtt_ms']:.2f} ms, {hops}"
