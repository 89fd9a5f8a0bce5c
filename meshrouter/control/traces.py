"""Results of ping and traceroute."""

from meshchain.crypto.address import node_id
from meshrouter.control.forms import Form, KeyOf, address_text, id_text, milliseconds, node_form
from meshrouter.directory import Directory
from meshrouter.trace.echoes import PingResult
from meshrouter.trace.path import MEANINGS, Gap, Hop, Path
from meshrouter.trace.report import Report, RunnerUp, Side
from meshrouter.trace.tracer import TraceResult


def ping_form(result: PingResult) -> Form:
    """``problem``: None, timeout, unreachable, too-big or hop-limit."""
    return {
        "ip6": address_text(result.target),
        "seq": result.seq,
        "size": result.size,
        "problem": result.problem or None,
        "rtt_ms": milliseconds(result.round_trip),
        "hops_there": result.hops_there,
        "hops_back": result.hops_back,
    }


class TraceForm:
    """Turns a result into JSON; names are what the directory knows by now."""

    def __init__(self, directory: Directory, key_of: KeyOf) -> None:
        self._directory = directory
        self._key_of = key_of

    def form(self, result: TraceResult) -> Form:
        return {
            **self._end(result.target),
            "whole": result.forward.whole and (result.reverse is None or result.reverse.whole),
            "rtt_ms": milliseconds(result.round_trip),
            "forward": self._path(result.forward),
            "reverse": None if result.reverse is None else self._path(result.reverse),
        }

    def _end(self, node: bytes) -> Form:
        key = self._key_of(node)
        if key is None:
            return {"name": None, "key": None, "ip6": id_text(node)}
        return node_form(self._directory, key)

    def _path(self, path: Path) -> Form:
        steps = [self._hop(step) if isinstance(step, Hop) else self._gap(step) for step in path.steps]
        return {"reached": path.reached, "whole": path.whole, "steps": steps}

    def _hop(self, hop: Hop) -> Form:
        report = hop.report
        return {
            "kind": "hop",
            "hop": hop.position,
            **node_form(self._directory, report.key),
            "role": self._directory.role(report.key).name.lower(),
            "zone": report.zone,
            "height": report.height,
            "version": report.version,
            "ingress": self._side(report.ingress),
            "egress": self._side(report.egress),
            "metric": None if report.egress is None else report.metric,
            "runner_up": self._runner_up(report.runner_up),
            "held_ms": _held(report),
            "reported_ms": milliseconds(hop.after),
        }

    def _gap(self, gap: Gap) -> Form:
        return {
            "kind": "gap",
            "hop": gap.position,
            "missing": gap.missing,
            "reason": gap.reason,
            "message": MEANINGS[gap.reason],
            "suspects": [node_form(self._directory, key) for key in gap.suspects],
        }

    def _side(self, side: Side | None) -> Form | None:
        if side is None:
            return None
        return {
            "neighbour": node_form(self._directory, side.key),
            "medium": side.medium.value,
            "cost": side.cost,
            "rtt_ms": milliseconds(side.rtt),
            "loss": round(side.loss, 4),
            "queue_ms": side.queue_ms,
            "mtu": side.mtu,
        }

    def _runner_up(self, other: RunnerUp | None) -> Form | None:
        return None if other is None else {**self._end(other.id), "metric": other.metric, "why": other.why}


def _held(report: Report) -> float | None:
    """How long the hop had the probe, by its own clock."""
    return milliseconds(max(0.0, report.sent - report.received))


def target_id(address: bytes, key: bytes | None) -> bytes | None:
    """The id behind an address (16 bytes): its own, or for a claimed one that of its holder's key."""
    return address[2:] if key is None else node_id(key)
