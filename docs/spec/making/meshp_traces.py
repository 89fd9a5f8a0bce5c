"""meshp-traces.json: a traceroute over one hop, there and back, ticket, probes and reports; pings; what is none."""

from collections.abc import Iterator
from typing import Final

from docs.spec.making.meshp_formats import BEN_ID, CAT_ID
from docs.spec.making.values import GENESIS, Document, Json, secret
from meshrouter.identity import Identity
from meshrouter.links.link import Medium
from meshrouter.trace.echo import Echo
from meshrouter.trace.probe import Probe
from meshrouter.trace.report import FORWARD, NO_HASH, REVERSE, Report, RunnerUp, Side
from meshrouter.trace.ticket import REVERSE as WANTS_REVERSE
from meshrouter.trace.ticket import Ticket
from meshrouter.wire import meshctl

_ANN, _BEN, _CAT = (Identity.from_seed(secret(f"node {word}")) for word in ("ann", "ben", "cat"))
_TICKET: Final = Ticket.make(_ANN, GENESIS, secret("nonce")[:16], CAT_ID, 262_800, WANTS_REVERSE)


def document() -> Document:
    """Ann asks for the way to Cat; Ben is between them."""
    reports = list(_reports())
    return {
        "genesis": GENESIS.hex(),
        "ticket": _TICKET.encode().hex(),
        "seed": _ANN.seed.hex(),
        "probes": [_probe(number, reports) for number in range(4)],
        "reports": [_report(identity, report) for identity, report in reports],
        "echo": _echo(),
        "refused": [{"why": why, "code": code, "bytes": data.hex()} for why, code, data in _refused(reports[1])],
    }


def _side(identity: Identity, medium: Medium, *, rtt: float | None) -> Side:
    return Side(identity.key, medium, 96, rtt, 0.25, 3, 1500)


def _reports() -> Iterator[tuple[Identity, Report]]:
    """In the order of the probe's way; each chains on the one before."""
    to_ben, to_cat = _side(_BEN, Medium.ETHERNET, rtt=0.001), _side(_CAT, Medium.UDP, rtt=None)
    to_ann, from_cat = _side(_ANN, Medium.ETHERNET, rtt=0.0011), _side(_BEN, Medium.UDP, rtt=0.02)
    other = RunnerUp(BEN_ID, 300, "feasibility")
    way = (
        (_ANN, FORWARD, 65, None, to_ben, 192),
        (_BEN, FORWARD, 64, to_ann, to_cat, 96),
        (_CAT, FORWARD, 63, from_cat, from_cat, 192),
        (_BEN, REVERSE, 64, to_cat, to_ann, 96),
        (_ANN, REVERSE, 63, to_ben, None, 0),
    )
    previous = NO_HASH
    for identity, direction, hops, ingress, egress, metric in way:
        report = Report(
            nonce=_TICKET.nonce,
            direction=direction,
            previous=previous,
            key=identity.key,
            hop_limit=hops,
            ends=hops == 63,
            height=262_800,
            zone=0,
            ingress=ingress,
            egress=egress,
            metric=metric,
            runner_up=other if identity is _CAT else None,
            received=1.5,
            sent=1.500001,
            version="0.1.0",
        )
        previous = report.digest
        yield identity, report


def _probe(number: int, reports: list[tuple[Identity, Report]]) -> Json:
    """As it leaves the hop that made report ``number``."""
    _, report = reports[number]
    direction = REVERSE if number >= 2 else FORWARD
    return meshctl.encode(Probe(direction, report.digest, _TICKET)).hex()


def _report(identity: Identity, report: Report) -> Json:
    signed = report.signed_by(identity)
    return {
        "seed": identity.seed.hex(),
        "hash": report.digest.hex(),
        "hop_limit": report.hop_limit,
        "ends": report.ends,
        "ingress": None if report.ingress is None else report.ingress.key.hex(),
        "egress": None if report.egress is None else report.egress.key.hex(),
        "bytes": meshctl.encode(signed).hex(),
    }


def _echo() -> Json:
    asked = Echo(secret("token")[:8], 7, b"filling")
    return {"probe": meshctl.encode(asked).hex(), "hop_limit": 62, "reply": meshctl.encode(asked.reply(62)).hex()}


def _refused(hop: tuple[Identity, Report]) -> Iterator[tuple[str, str, bytes]]:
    """MESHCTL payloads in clear."""
    probe = meshctl.encode(Probe(FORWARD, NO_HASH, _TICKET))
    report = meshctl.encode(hop[1].signed_by(hop[0]))
    yield "a PROBE without its zeros", "wire-size", probe[: 1 + 34 + Ticket.SIZE]
    yield "a PROBE of mode 2", "probe-mode", _changed(probe, 1, 2)
    yield "a PROBE in direction 2", "probe-direction", _changed(probe, 2, 2)
    yield "a PROBE with a byte after the ticket", "probe-padding", _changed(probe, len(probe) - 1, 1)
    yield "a ticket with flags 2", "probe-flags", _changed(probe, 1 + 34 + 66, 2)
    yield "a REPORT of a byte less", "wire-size", report[:-1]
    yield "a REPORT in direction 2", "report-direction", _changed(report, 1 + 16, 2)
    yield "an ingress of medium 5", "report-medium", _changed(report, 1 + 89 + 32, 5)
    yield "a runner-up that flags do not announce", "report-form", _changed(report, 1 + 181, 1)
    yield "flags 16", "report-form", _changed(report, 1 + 82, 16 | 6)
    yield "a time that no clock shows", "report-time", report[:222] + (1 << 51).to_bytes(8, "big") + report[230:]
    yield "the last time of all", "report-time", report[:230] + b"\xff" * 8 + report[238:]
    yield "a version with a line's end", "report-text", _changed(report, 1 + 237, 10)


def _changed(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes((value,)) + data[at + 1 :]
