"""Neighbours: one form an adjacency."""

from collections.abc import Iterable

from meshrouter.control.forms import Form, caps_form, milliseconds, node_form
from meshrouter.directory import Directory
from meshrouter.neighbours.neighbour import INFINITY, Neighbour


def neighbours_form(neighbours: Iterable[Neighbour], directory: Directory, now: float) -> list[Form]:
    """By link, then the longest known first."""
    ordered = sorted(neighbours, key=lambda neighbour: (neighbour.link.number, neighbour.since))
    return [neighbour_form(neighbour, directory, now) for neighbour in ordered]


def neighbour_form(neighbour: Neighbour, directory: Directory, now: float) -> Form:
    link = neighbour.link
    return {
        **node_form(directory, neighbour.key),
        "role": directory.role(neighbour.key).name.lower(),
        "link": link.name,
        "medium": link.medium.value,
        "link_address": link.text_of(neighbour.link_address),
        "mtu": link.mtu,
        "cost": None if neighbour.cost >= INFINITY else neighbour.cost,
        "rtt_ms": milliseconds(neighbour.rtt),
        "loss": round(neighbour.loss, 4),
        "queue_ms": neighbour.queue_ms,
        "height": neighbour.height,
        "caps": caps_form(neighbour.caps),
        "up_s": round(now - neighbour.since, 1),
        "silent_s": round(max(0.0, now - neighbour.heard), 1),
        "frames_in": neighbour.frames_in,
        "frames_out": neighbour.frames_out,
        "bytes_in": neighbour.bytes_in,
        "bytes_out": neighbour.bytes_out,
        "notes": dict(sorted(neighbour.notes.items())),
    }
