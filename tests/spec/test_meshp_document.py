"""The tables and numbers of meshp.md say what the code and the vectors say."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import pytest

from docs.spec.making.meshp_formats import CLASSES
from docs.spec.making.meshp_handshakes import END, LINK
from docs.spec.making.values import GENESIS
from meshrouter.groups import budgets
from meshrouter.groups import groups as grouping
from meshrouter.groups import message as group
from meshrouter.handshake import cookies
from meshrouter.links import ethernet, udp_broadcast
from meshrouter.neighbours import answering, beacons, ground, keeping, metric, probing, redirects, watch
from meshrouter.neighbours import session as link_session
from meshrouter.routing import digest, own, requests, table, telling
from meshrouter.sessions import endsession, pair, pending, sessions
from meshrouter.sessions import table as end_table
from meshrouter.trace import report, responder, ticket
from meshrouter.wire import beacon, control, ends, frame, handshake, meshctl, packet, sec, train
from meshrouter.wire.control import adjacency
from tests.spec.reading import SPEC, VECTORS, load

TEXT: Final = (SPEC / "meshp.md").read_text(encoding="utf-8")
FLAT: Final = " ".join(TEXT.split())
SOURCES: Final = SPEC.parents[1] / "meshrouter"
NAMES: Final = {cls: name for name, cls in CLASSES.items()}


def _table(heading: str) -> list[list[str]]:
    rows = []
    for line in TEXT.split(f"\n{heading}", 1)[1].splitlines()[2:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


def test_frame_types() -> None:
    rows = {row[1]: (int(row[0]), row[4]) for row in _table("| type | frame | index |")}
    assert {kind for kind, _ in rows.values()} == frame.CLEAR | frame.SEALED
    assert all(getattr(frame, name) == kind for name, (kind, _) in rows.items())
    sizes = {
        "BEACON": beacon.Beacon.SIZE,
        "SOLICIT": beacon.Solicit.SIZE,
        "INIT": handshake.Init.SIZES[0],
        "RESPONSE": handshake.Response.SIZES[0],
        "COOKIE": handshake.Cookie.SIZE,
    }
    assert {name: int(rows[name][1]) for name in sizes} == sizes


def test_sizes_of_handshakes() -> None:
    rows = [[int(cell) for cell in row[1:]] for row in _table("| | payload | INIT |")]
    each = zip(handshake.PAYLOAD_SIZES, handshake.Init.SIZES, handshake.Response.SIZES, strict=True)
    assert rows == [[*sizes, handshake.Cookie.SIZE] for sizes in each]
    assert (LINK, END) == (b"meshp link 1" + GENESIS, b"meshp end 1" + GENESIS)
    assert f"`{answering.PROLOGUE.decode()}` or `meshp end 1` (ASCII)" in FLAT


def test_control_messages() -> None:
    rows = {int(row[0]): (row[1], row[3]) for row in _table("| type | message | body | bytes |")}
    assert {kind: name for kind, (name, _) in rows.items()} == {kind: NAMES[cls] for kind, cls in control.TYPES.items()}
    for kind, (_, size) in rows.items():
        cls: Any = control.TYPES[kind]
        if kind == control.Update.TYPE:
            assert size == " or ".join(map(str, cls.SIZES))
        elif kind == control.Redirect.TYPE:
            assert size == f"{len(control.Redirect(bytes(14), bytes(32), b'').encode())} + size"
        else:
            assert int(size) == cls.SIZE


def test_numbers_of_packets_and_messages() -> None:
    headers = {row[1].split()[0]: int(row[0]) for row in _table("| next header | payload |")}
    assert headers == {name: getattr(packet, name) for name in ("MESHSEC", "MESHHS", "MESHCTL", "MC_DATA")}
    inner = [row[0] for row in _table("| inner next header |")]
    assert inner[:4] == [str(number) for number in (sec.PARTIAL_TCP, sec.PARTIAL_UDP, sec.SUPER, packet.MESHCTL)]
    ours = {int(row[0]): row[1] for row in _table("| type | message | body | where |")}
    assert {kind: NAMES[cls] for kind, cls in meshctl.TYPES.items()}.items() <= ours.items()
    codes = [(int(row[0]), row[1]) for row in _table("| code | name | meaning |")]
    spelt = [code.name.replace("TOO_BIG", "PTB").replace("_", "") for code in meshctl.ErrorCode]
    assert codes == list(zip(map(int, meshctl.ErrorCode), spelt, strict=True))
    assert (ends.END_INIT, ends.END_RESPONSE, ends.END_COOKIE) == (1, 2, 3)
    assert "Types: 1 INIT (index 0: `hs-index`), 2 RESPONSE, 3 COOKIE" in FLAT
    reasons = (adjacency.CLOSING, adjacency.REPLACED, adjacency.BARRED, adjacency.FULL, adjacency.SILENT)
    assert reasons == (1, 2, 3, 4, 5)
    assert "Reasons: 1, the node ends; 2, replaced; 3, the key is barred; 4, no room; 5, nothing was heard" in FLAT


def test_where_the_fields_of_a_report_are() -> None:
    rows = _table("| at | field | |")
    at = 0
    for offset, field, _ in rows:
        assert int(offset) == at, field
        size = re.findall(r"(?:u)?(\d+)$", field)[0]
        at += int(size) // 8 if field.endswith(f"u{size}") else int(size)
    assert at + 64 == report.SignedReport.SIZE == 313
    assert ticket.Ticket.SIZE == 131


SAID: Final = (
    f"EtherType {ethernet.ETHERTYPE:X}",
    f"destination MAC {ethernet.GROUP.hex(':')}",
    f"port {udp_broadcast.PORT} of - `{udp_broadcast.GROUP}`",
    f"the first free of {udp_broadcast.PORT + 1} to {udp_broadcast.PORT + udp_broadcast.OWN_PORTS}",
    f"changed every {cookies.SECRET_TIME:.0f} s and good for as long after",
    f"refuses what is not in a window of the {link_session.WINDOW:,} newest",
    f"{keeping.REKEY_OURS:.0f} s after it was made by the side that began it, after {keeping.REKEY_THEIRS:.0f} s",
    f"One that is {keeping.DEATH:.0f} s old MUST NOT be used",
    f"MUST still open what comes for {keeping.LINGER:.0f} s",
    f"made within {keeping.AT_ONCE:.0f} s of each other (between ends {sessions.TOGETHER:.0f} s)",
    f"intervals from {beacons.SHORTEST:.0f} s, doubling to {beacons.LONGEST:.0f} s",
    f"unless {beacons.K} others were heard in the interval",
    f"after {beacons.MOST_SILENT} silent intervals",
    f"a random 0 to {beacons.ANSWER_TIME * 1000:.0f} ms, unless it has heard {beacons.ENOUGH_ANSWERS} BEACONs",
    f"if it has fewer than {ground.WANTED} neighbours on that link",
    f"less than {probing.LEAST_FRAME} is taken for {probing.LEAST_FRAME}",
    f"A HELLO SHOULD go every {probing.SLOW:.0f} s",
    f"SHOULD: {metric.WIRED} for a healthy wire, {metric.OTHER} for radio",
    f"heard nothing for {watch.PATIENCE:.0f} s asks by HELLO, at least three times {watch.GAP * 1000:.0f} ms apart",
    f"one that is idle, after {watch.IDLE + watch.LEAST_PROBES * watch.GAP:.0f} s",
    f"size is at most {adjacency.MAX_LINK_ADDRESS} (`redirect-address`)",
    f"(here {own.BLOCK:,}) before the first",
    f"An origin announces anew every {own.REFRESH:.0f} s or so",
    f"when its chain has grown by {own.HEIGHT_STEP}",
    f"two announcements are at least {own.LEAST_GAP:.0f} s apart",
    f"of which it counts at least {table.MINIMUM_COST}; {control.INFINITY:,} is infinity",
    f"height ≥ own tip − {own.HEIGHT_WINDOW}",
    f"told together after {telling.COALESCE * 1000:.0f} ms",
    f"It starts with {requests.HOPS} hops",
    f"not twice in {requests.SAME:.0f} s",
    f"at most every {digest.FIRST_PAUSE:.0f} s, doubling to {digest.LAST_PAUSE:.0f} s",
    f"may be used for {table.LIFETIME:,.0f} s",
    f"is remembered {table.MEMORY:,.0f} s longer",
    f"of up to {train.MAX_TRAIN:,} bytes MAY travel as one *train*",
    f"cut into at most {frame.MAX_CARS} parts",
    f"forgets what is not complete after {train.TRAIN_TIME:.0f} s",
    f"largest packet has less than {train.SMALLEST_WHOLE:,} bytes",
    f"cut into at most {train.MAX_PIECES} *pieces*",
    f"the window is {endsession.WINDOW:,}",
    f"(here {pending.MOST_PACKETS} packets, {pending.MOST_BYTES // 1024} kB, {pending.WAIT:.0f} s)",
    f"One that is {end_table.LIFETIME:.0f} s old MUST NOT be used; so an end",
    f"An mtu below {pair.LEAST_MTU:,} (1,280 and MESHSEC)",
    f"for a while (here {pair.LEARNED_TIME:.0f} s)",
    f"Less than {sec.SEC_OVERHEAD} bytes is `sec-size`",
    f"(here {responder.PER_SECOND:.0f} a second, {responder.PER_NEIGHBOUR:.0f} for the probes of one neighbour)",
    f"height < own tip − {responder.OLDEST} and the own ledger is synced",
    f"at most {group.MOST_PACKET - 40:,} bytes (`group-size`)",
    f"once for each seq of the newest {grouping.WINDOW}",
    f"(here {budgets.MEMBER_PACKETS[0]:.0f} packets and {budgets.MEMBER_BYTES[0] / 1000:.0f} kB a second",
    f"of a guest {budgets.GUEST_PACKETS[0]:.0f} and {budgets.GUEST_BYTES[0] / 1000:.0f} kB",
)


@pytest.mark.parametrize("phrase", SAID)
def test_numbers_in_the_text(phrase: str) -> None:
    assert phrase in FLAT


def test_the_last_sequence_number() -> None:
    assert own.MOST_SEQNO == 2**63 - 1
    assert "seqno < 2^63" in FLAT


def test_a_minute_for_the_redirected() -> None:
    assert redirects.UNUSED == 60.0
    assert "by BYE, when it has carried nothing for a minute" in FLAT


def test_the_largest_inner_packets() -> None:
    around = frame.OVERHEAD + sec.SEC_OVERHEAD
    sizes = [f"{1500 - below - around:,}" for below in (0, 28, 48)]
    assert f"takes {around} bytes more" in FLAT
    assert "{} bytes fit through Ethernet of 1500, {} through UDP over IPv4 and {} over IPv6".format(*sizes) in FLAT


# --- codes -----------------------------------------------------------------------------------------------------


def _raised(*paths: str) -> Iterator[str]:
    """Codes that decoders name: the first two arguments of WireError and need may be one."""
    for path in (found for pattern in paths for found in sorted(SOURCES.glob(pattern))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("WireError", "need"):
                for argument in node.args[:2]:
                    if isinstance(argument, ast.Constant) and re.fullmatch("[a-z]+-[a-z]+", str(argument.value)):
                        yield str(argument.value)


def _codes_in(document: Any) -> Iterator[str]:  # noqa: ANN401 - what json.loads gives
    if isinstance(document, dict):
        yield from ([document["code"]] if isinstance(document.get("code"), str) else [])
        document = list(document.values())
    if isinstance(document, list):
        for item in document:
            yield from _codes_in(item)


@pytest.mark.parametrize(
    ("where", "paths"),
    [("format", ("wire/**/*.py",)), ("trace", ("trace/*.py",)), ("group", ("groups/message.py",))],
)
def test_every_code_of_decoders_is_listed(where: str, paths: tuple[str, ...]) -> None:
    assert {row[0] for row in _table("| code | where |") if row[1] == where} == set(_raised(*paths))


def test_every_code_has_the_vector_it_says() -> None:
    found = defaultdict(set)
    for path in VECTORS.glob("meshp-*.json"):
        for code in _codes_in(load(path.name)):
            found[code].add(path.stem.removeprefix("meshp-"))
    named = {row[0]: row[3] for row in _table("| code | where |")}
    for code, where in named.items():
        assert found.pop(code, set()) == (set() if where.startswith("–") else set(where.split(", "))), code
    assert not found


def test_codes_named_in_the_text_are_listed() -> None:
    listed = {row[0] for row in _table("| code | where |")}
    chapters = TEXT.split("## 17.", 1)[0]
    tags = {"meshp-announce", "meshp-trace", "meshp-report", "meshp-group"}
    assert set(re.findall(r"\(`([a-z]+-[a-z]+\d?)`", chapters)) - tags <= listed
