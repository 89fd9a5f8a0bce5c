"""Feed bytes to the DNS server: an answer that can be read and is no longer than the client takes, or none.

    python fuzz/fuzz_dns.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

A third of the inputs are packets, a third questions with chosen names, types and options, a third items of a
name's ``dns`` list, which anybody can write into the ledger.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.dns import message, query, records
    from meshchain.dns.engine import Engine

import dns.message

from meshchain.ledger.codec import Value
from tests.dns.lab import engine, settle
from tests.rpc.ledger_node import LedgerNode

HEADS = [b"", b"\0\0\1\0\0\1\0\0\0\0\0\0", b"\0\0\1\0\0\1\0\0\0\0\0\1"]
LABELS = [b"alice", b"www", b"wild", b"old", b"sub", b"_tcp", b"*", b"nobody", b"\0", b"\x7f", b"a" * 63]
TYPES = [1, 2, 5, 6, 12, 16, 28, 39, 43, 46, 47, 48, 251, 252, 255, 65400]
SOURCES = ["127.0.0.1", "192.0.2.1", "2001:db8::1", "::1"]


def check(server: Engine, packet: bytes, source: str) -> None:
    answer = server.udp(packet, source)
    if not answer:
        return
    if len(answer) > query.MOST_SIZE or answer[:2] != packet[:2]:
        raise AssertionError(f"{packet.hex()} gets {answer.hex()}")
    dns.message.from_wire(answer)
    whole = server.stream(packet, source)
    if not whole or len(whole) > message.MOST_STREAM:
        raise AssertionError(f"{packet.hex()} gets nothing by TCP")
    dns.message.from_wire(whole)


def question(data: atheris.FuzzedDataProvider) -> bytes:
    labels = [data.PickValueInList(LABELS) for _ in range(data.ConsumeIntInRange(0, 4))]
    name = b"".join(bytes((len(label),)) + label for label in (*labels, b"mesh")) + b"\0"
    kind = data.PickValueInList(TYPES).to_bytes(2, "big") + data.PickValueInList([b"\0\1", b"\0\3"])
    opt = b"\0\0\x29" + data.ConsumeBytes(6) + data.PickValueInList([b"\0\0", b"\0\x0c\0\x0a\0\x08" + bytes(8)])
    edns = data.ConsumeBool()
    return data.PickValueInList(HEADS[2:] if edns else HEADS[1:2]) + name + kind + (opt if edns else b"")


def items(data: atheris.FuzzedDataProvider) -> None:
    kind = data.PickValueInList(["A", "TXT", "SVCB", "LOC", "NAPTR", "APL", "CERT", "TYPE65", "WKS", "HIP"])
    listed: list[Value] = [
        [data.ConsumeUnicodeNoSurrogates(12), kind, data.ConsumeIntInRange(0, 2**32 - 1), text]
        for text in (data.ConsumeUnicodeNoSurrogates(200), data.ConsumeUnicodeNoSurrogates(40))
    ]
    zone = records.name_zone("alice", replace(ENTRY, record={"dns": listed}), 60)
    for sets in zone.nodes.values():
        for _, rdatas in sets.values():
            if not rdatas or list(rdatas) != sorted(set(rdatas)):
                raise AssertionError(f"{listed} makes a set that is not sorted")


def one_input(raw: bytes) -> None:
    data = atheris.FuzzedDataProvider(raw)
    source, which = data.PickValueInList(SOURCES), data.ConsumeIntInRange(0, 2)
    if which == 0:
        check(SERVER, data.PickValueInList(HEADS) + data.ConsumeBytes(data.remaining_bytes()), source)
    elif which == 1:
        check(SERVER, question(data), source)
    else:
        items(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    with tempfile.TemporaryDirectory() as folder:
        NODE = LedgerNode(Path(folder))
        settle(NODE)
        SERVER = engine(NODE, Path(folder))
        found = NODE.view().entry("alice")
        assert found is not None
        ENTRY = found
        atheris.Fuzz()
