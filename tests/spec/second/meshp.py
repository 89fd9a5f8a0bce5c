"""The formats of meshp.md as tables, read and written by one small interpreter. Plain and slow."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.spec.second.values import need

Fields = dict[str, Any]
Rule = Callable[[Fields], object]
Table = tuple[tuple[str, int | None], ...]
"""(name, width): a negative width is of a byte string, a positive of an integer, None is all that is left."""

ANNOUNCED: Final[Table] = (("seqno", 8), ("height", 4), ("caps", 2), ("zone", 2), ("metric", 2), ("signature", -64))
HEADER: Final[Table] = (
    ("next_header", 1), ("hop_limit", 1), ("source_zone", 2), ("source", -14), ("destination_zone", 2),
    ("destination", -14), ("payload", None),
)  # fmt: skip
TABLES: Final[Mapping[str, Table]] = {
    "BEACON": (("network", -4), ("caps", 2), ("gossip_port", 2), ("key", -32), ("height", 4)),
    "SOLICIT": (("network", -4), ("zeros", -40)),
    "INIT": (("sender", 4), ("noise", None)),
    "RESPONSE": (("sender", 4), ("noise", None)),
    "COOKIE": (("nonce", -24), ("sealed", -32)),
    "link payload": (("key", -32), ("caps", 2), ("gossip_port", 2), ("height", 4)),
    "end payload": (
        ("key", -32), ("source", -16), ("destination", -16), ("caps", 2), ("path_mtu", 2), ("height", 4),
    ),
    "NOSESSION": (("index", 4), ("counter", 4)),
    "HELLO": (
        ("seq", 2), ("sent", 4), ("echo", 4), ("held", 4), ("received", 2), ("queue", 2), ("mtu", 2), ("flags", 2),
        ("digest", 8), ("count", 4),
    ),
    "RETRACT": (("id", -14), ("seqno", 8)),
    "SEQNO_REQ": (("id", -14), ("seqno", 8), ("hops", 1)),
    "DUMP": (),
    "REDIRECT": (("id", -14), ("key", -32), ("size", 1), ("address", None)),
    "ROUTE_REQ": (("id", -14), ("hops", 1)),
    "BYE": (("reason", 1),),
    "MESHSEC": (("index", 4), ("counter", 4), ("ciphertext", None)),
    "super-packet": (("protocol", 1), ("gso_size", 2), ("content", None)),
    "MESHHS": (("kind", 1), ("index", 4), ("body", None)),
    "ERR": (("code", 1), ("mtu", 2), ("quote", None)),
}  # fmt: skip
RULES: Final[Mapping[str, Rule]] = {
    "SOLICIT": lambda f: f.pop("zeros") == bytes(40),
    "REDIRECT": lambda f: f.pop("size") == len(f["address"]) <= 32 and f["id"] == id_of(f["key"]),
    "MESHSEC": lambda f: len(f["ciphertext"]) >= 17,
    "super-packet": lambda f: f["protocol"] in (6, 17) and f["gso_size"],
    "MESHHS": lambda f: 1 <= f["kind"] <= 3 and (f["kind"] > 1 or f["index"] == 0),
    "ERR": lambda f: 1 <= f["code"] <= 5 and 40 <= len(f["quote"]) <= 48,
}
CONTROL: Final = {
    1: "HELLO", 2: "UPDATE", 3: "RETRACT", 4: "SEQNO_REQ", 5: "DUMP", 6: "REDIRECT", 7: "ROUTE_REQ", 8: "BYE",
}  # fmt: skip


TICKET: Final[Table] = (("nonce", -16), ("key", -32), ("target", -14), ("height", 4), ("flags", 1), ("signature", -64))
SIDE: Final[Table] = (
    ("key", -32), ("medium", 1), ("cost", 2), ("rtt", 4), ("loss", 2), ("queue", 2), ("mtu", 2),
)  # fmt: skip
REPORT: Final[Table] = (
    ("nonce", -16), ("direction", 1), ("previous", -32), ("key", -32), ("hop_limit", 1), ("flags", 1), ("height", 4),
    ("zone", 2), ("ingress", -45), ("egress", -45), ("metric", 2), ("runner_up", -14), ("runner_up_metric", 2),
    ("why", -24), ("received", 8), ("sent", 8), ("version", -12),
)  # fmt: skip


def id_of(key: bytes) -> bytes:
    derived = hashlib.blake2s(key, person=b"meshaddr").digest()[:14]
    need(derived[:8] != bytes(8))
    return derived


def read(name: str, data: bytes) -> Fields:
    """The fields of a format, or InvalidError."""
    special = {"frame": frame, "UPDATE": update, "MESHP": packet, "piece": piece, "MESHCTL": meshctl}.get(name)
    if special is not None:
        return special(data)
    found = table(TABLES[name], data)
    if name in RULES:
        need(RULES[name](found))
    if "key" in found:
        id_of(found["key"])
    return macs(name, found) if name in ("INIT", "RESPONSE") else found


def table(columns: Table, data: bytes) -> Fields:
    found: Fields = {}
    for name, width in columns:
        size = len(data) if width is None else abs(width)
        need(len(data) >= size)
        part, data = data[:size], data[size:]
        found[name] = int.from_bytes(part, "big") if width is not None and width > 0 else part
    need(not data)
    return found


def macs(name: str, found: Fields) -> Fields:
    rest = found["noise"]
    around = {"INIT": 96, "RESPONSE": 48}[name] + 32
    need(len(rest) in (around + 40, around + 72))
    return {"sender": found["sender"], "noise": rest[:-32], "mac1": rest[-32:-16], "mac2": rest[-16:]}


def frame(data: bytes) -> Fields:
    need(len(data) >= 12)
    kind, flags, length = data[0] & 31, data[1], int.from_bytes(data[2:4], "big")
    need(data[0] >> 5 == 1 and kind in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11))
    need(len(data) >= 12 + length)
    if kind == 10:
        need(length >= 1 and flags & 127 <= 44)
    else:
        need(flags == 0 and (kind < 8 or length >= 16))
    index, counter = int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big")
    return {"kind": kind, "body": data[12 : 12 + length], "index": index, "counter": counter, "flags": flags}


def update(data: bytes) -> Fields:
    need(data and data[0] in (0, 1))
    width = 32 if data[0] else 14
    found = table((("origin", -width), *ANNOUNCED), data[1:])
    origin = found.pop("origin")
    return {"id": id_of(origin), "key": origin, **found} if data[0] else {"id": origin, "key": None, **found}


def packet(data: bytes) -> Fields:
    found = table((("word", 4), ("length", 2), *HEADER), data)
    word, length = found.pop("word"), found.pop("length")
    need(word >> 28 == 6 and length in (0, len(found["payload"])))
    return {**found, "traffic_class": word >> 20 & 255, "flow_label": word & 0xFFFFF}


def piece(data: bytes) -> Fields:
    found = table((("packet", 2), ("mark", 1), ("content", None)), data)
    mark = found.pop("mark")
    need(found["content"] and mark & 127 < 16)
    return {**found, "number": mark & 127, "last": mark > 127}


def control(data: bytes) -> list[tuple[str, Fields]]:
    found = []
    while data:
        need(len(data) >= 3)
        kind, size = data[0], int.from_bytes(data[1:3], "big")
        need(len(data) >= 3 + size)
        if kind in CONTROL:
            found.append((CONTROL[kind], read(CONTROL[kind], data[3 : 3 + size])))
        data = data[3 + size :]
    return found


def meshctl(data: bytes) -> Fields:
    need(data and data[0] in (1, 2))
    return read({1: "ERR", 2: "NOSESSION"}[data[0]], data[1:])


# --- probes ----------------------------------------------------------------------------------------------------


def ticket(data: bytes) -> Fields:
    found = table(TICKET, data)
    need(found["flags"] < 2)
    id_of(found["key"])
    return found


def trace(data: bytes) -> Fields:
    """A PROBE or a REPORT in clear."""
    need(len(data) == 314 and data[0] in (3, 5))
    return probe(data[1:]) if data[0] == 3 else report(data[1:])


def probe(data: bytes) -> Fields:
    found = table((("mode", 1), ("direction", 1), ("previous", -32), ("ticket", -131), ("zeros", -148)), data)
    need(found["mode"] == 1 and found["direction"] < 2 and not any(found.pop("zeros")))
    return {**found, "ticket": ticket(found["ticket"])}


def report(data: bytes) -> Fields:
    found = table((*REPORT, ("signature", -64)), data)
    flags = found["flags"]
    need(found["direction"] < 2 and flags < 16 and max(found["received"], found["sent"]) < 2**51)
    id_of(found["key"])
    other = found["runner_up"] + found["runner_up_metric"].to_bytes(2, "big") + found["why"]
    need(flags & 8 or not any(other))
    printable(found["why"])
    printable(found["version"])
    return {**found, "ingress": side(found["ingress"], flags & 2), "egress": side(found["egress"], flags & 4)}


def side(data: bytes, there: int) -> Fields | None:
    if not there:
        need(not any(data))
        return None
    found = table(SIDE, data)
    need(1 <= found["medium"] <= 4)
    id_of(found["key"])
    return found


def printable(text: bytes) -> None:
    need(all(0x20 <= byte < 0x7F for byte in text.rstrip(b"\0")))
