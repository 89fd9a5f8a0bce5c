"""A second implementation of formats, handshakes and sealing, written from meshp.md, agrees with the first."""

import hashlib
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshchain.crypto import verify_ed25519
from meshrouter.errors import WireError
from meshrouter.handshake import CookieReply, Door, Initiation, Offer, ReplayWindow, full_counter
from meshrouter.handshake.cookies import CookieMaker
from meshrouter.identity import Identity
from tests.router.wire.samples import FORMATS as SAMPLES
from tests.router.wire.samples import Format
from tests.spec.reading import load, raw
from tests.spec.second import meshp, sealing
from tests.spec.second.values import InvalidError, tagged
from tests.spec.test_meshp import ANNOUNCEMENTS, DECODERS, FORMATS, HANDSHAKES, SEALED

NAMES = {
    "Frame": "frame",
    "Beacon": "BEACON",
    "Solicit": "SOLICIT",
    "Init": "INIT",
    "Response": "RESPONSE",
    "Cookie": "COOKIE",
    "LinkPayload": "link payload",
    "EndPayload": "end payload",
    "NoSession": "NOSESSION",
    "Hello": "HELLO",
    "Update": "UPDATE",
    "Retract": "RETRACT",
    "SeqnoRequest": "SEQNO_REQ",
    "Dump": "DUMP",
    "Redirect": "REDIRECT",
    "RouteRequest": "ROUTE_REQ",
    "Bye": "BYE",
    "CONTROL": "control",
    "Packet": "MESHP",
    "Sealed": "MESHSEC",
    "SuperPacket": "super-packet",
    "EndHandshake": "MESHHS",
    "Error": "ERR",
    "MESHCTL": "MESHCTL",
    "Piece": "piece",
}


def second_takes(name: str, data: bytes) -> bool:
    try:
        if name == "control":
            meshp.control(data)
        else:
            meshp.read(name, data)
    except InvalidError:
        return False
    return True


def first_takes(name: str, data: bytes) -> bool:
    try:
        DECODERS[name](data)
    except WireError:
        return False
    return True


def shown(fields: meshp.Fields) -> meshp.Fields:
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}


# --- formats ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", FORMATS["formats"], ids=lambda case: case["format"])
def test_formats(case: dict[str, Any]) -> None:
    assert shown(meshp.read(case["format"], raw(case["bytes"]))) == case["fields"]


def test_sequences() -> None:
    for case in FORMATS["control"]:
        read = [{"format": name, "fields": shown(fields)} for name, fields in meshp.control(raw(case["bytes"]))]
        assert read == case["messages"]


def test_refused() -> None:
    taken = [case["why"] for case in FORMATS["refused"] if second_takes(case["format"], raw(case["bytes"]))]
    assert not taken


@pytest.mark.parametrize("form", SAMPLES, ids=lambda form: form.name)
@settings(max_examples=40)
@given(st.data())
def test_both_judge_changed_bytes_alike(form: Format, data: st.DataObject) -> None:
    changed = bytearray(form.encode(data.draw(form.values)) + data.draw(st.sampled_from((b"", b"\0"))))
    for _ in range(data.draw(st.integers(0, 2)) if changed else 0):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(changed[: data.draw(st.none() | st.integers(0, len(changed)))])
    assert second_takes(NAMES[form.name], cut) == first_takes(NAMES[form.name], cut)


# --- handshakes ------------------------------------------------------------------------------------------------


def known(word: str) -> sealing.Known:
    side = HANDSHAKES[word]
    return sealing.Known(raw(side["seed"]), raw(side["key"]), raw(side["ephemeral"]), side["index"])


def carried(kind: str, text: str) -> tuple[int, bytes]:
    """Receiver's index and body."""
    if kind == "link":
        fields = meshp.read("frame", raw(text))
        return fields["index"], fields["body"]
    fields = meshp.read("MESHHS", meshp.read("MESHP", raw(text))["payload"])
    return fields["index"], fields["body"]


@pytest.mark.parametrize("kind", ["link", "end"])
def test_the_handshakes_of_the_vectors(kind: str) -> None:
    case, ann, ben = HANDSHAKES[kind], known("initiator"), known("responder")
    prologue, (first, second) = raw(case["prologue"]), map(raw, case["payloads"])
    assert prologue == {"link": b"meshp link 1", "end": b"meshp end 1"}[kind] + raw(HANDSHAKES["genesis"])
    initiator = sealing.Initiator(ann, ben.key, prologue, first)
    assert carried(kind, case["init"]) == (0, initiator.init())
    responder = sealing.Responder(ben, prologue, initiator.init())
    assert responder.payload == first
    body, forth, back = responder.response(second)
    assert carried(kind, case["response"]) == (ann.index, body)
    assert initiator.finish(body) == (second, ben.index, forth, back)
    assert case["keys"] == {"forth": forth.hex(), "back": back.hex()}


@pytest.mark.parametrize("case", HANDSHAKES["refused"], ids=lambda case: case["why"])
def test_refused_handshakes(case: dict[str, Any]) -> None:
    link, ann, ben, body = HANDSHAKES["link"], known("initiator"), known("responder"), raw(case["body"])
    initiator = sealing.Initiator(ann, ben.key, raw(link["prologue"]), raw(link["payloads"][0]))
    takes: dict[str, Callable[[], object]] = {
        "responder": lambda: sealing.Responder(ben, raw(link["prologue"]), body),
        "initiator": lambda: initiator.finish(body),
        "cookie": lambda: sealing.open_cookie(body, ben.key, initiator.init()[-32:-16]),
    }
    with pytest.raises(InvalidError):
        takes[case["to"]]()


@pytest.mark.parametrize("kind", ["link", "end"])
def test_the_cookies_of_the_vectors(kind: str) -> None:
    case, ben = HANDSHAKES[kind]["cookie"], known("responder")
    mac1 = carried(kind, HANDSHAKES[kind]["init"])[1][-32:-16]
    cookie = sealing.keyed(raw(case["secret"]), raw(case["source"]))
    assert cookie.hex() == case["cookie"]
    index, body = carried(kind, case["message"])
    assert index == known("initiator").index
    assert body == sealing.seal_cookie(cookie, raw(case["nonce"]), ben.key, mac1)
    assert sealing.open_cookie(body, ben.key, mac1) == cookie
    prologue, payload = raw(HANDSHAKES[kind]["prologue"]), raw(HANDSHAKES[kind]["payloads"][0])
    initiator = sealing.Initiator(known("initiator"), ben.key, prologue, payload)
    assert carried(kind, case["init"]) == (0, initiator.init(cookie))


PROLOGUE = b"meshp link 1" + bytes(32)


def test_the_second_begins_with_the_first() -> None:
    ann, ben = known("initiator"), Identity.from_seed(bytes(range(32)))
    initiator = sealing.Initiator(ann, ben.key, PROLOGUE, ann.key + bytes(8))
    offer = Door(ben, PROLOGUE, Random(1)).consume(initiator.init(), b"there", 0.0)
    assert isinstance(offer, Offer)
    response, send, receive = offer.answer(ben.key + bytes(8), 77)
    assert initiator.finish(response) == (ben.key + bytes(8), 77, receive, send)


def test_the_first_begins_with_the_second() -> None:
    ben, ann = known("responder"), Identity.from_seed(bytes(range(32)))
    initiation = Initiation(ann, ben.key, PROLOGUE, ann.key + bytes(8), 99, Random(2))
    responder = sealing.Responder(ben, PROLOGUE, initiation.message())
    response, forth, back = responder.response(ben.key + bytes(8))
    finished = initiation.finish(response)
    assert (finished.send, finished.receive, finished.remote_index) == (forth, back, ben.index)


def test_the_second_brings_the_first_its_cookie() -> None:
    ann, ben = known("initiator"), Identity.from_seed(bytes(range(32)))
    door, maker = Door(ben, PROLOGUE, Random(1)), CookieMaker(ben.id, Random(3))
    initiator = sealing.Initiator(ann, ben.key, PROLOGUE, ann.key + bytes(8))
    mac1 = initiator.init()[-32:-16]
    with_cookie = initiator.init(sealing.open_cookie(maker.sealed(b"there", mac1, 0.0), ben.key, mac1))
    assert maker.holds(b"there", with_cookie[:-16], with_cookie[-16:], 0.0)
    assert not maker.holds(b"elsewhere", with_cookie[:-16], with_cookie[-16:], 0.0)
    while isinstance(door.consume(initiator.init(), b"there", 0.0), Offer):
        pass
    asked = door.consume(initiator.init(), b"there", 0.0)
    assert isinstance(asked, CookieReply)
    assert asked.remote_index == ann.index
    good = initiator.init(sealing.open_cookie(asked.body, ben.key, mac1))
    assert isinstance(door.consume(good, b"there", 0.0), Offer)


# --- what is sealed --------------------------------------------------------------------------------------------


def test_frames_of_the_vectors() -> None:
    link = SEALED["link"]
    for case in link["frames"]:
        text = raw(case["plaintext"])
        sealed = sealing.seal_frame(raw(link["key"]), case["type"], link["index"], case["counter"], text)
        assert sealed.hex() == case["bytes"]
        assert sealing.open_frame(raw(link["key"]), case["counter"], sealed) == text


def test_the_train_of_the_vectors_in_any_order() -> None:
    case = SEALED["train"]
    frames = [raw(text) for text in case["frames"]]
    Random(4).shuffle(frames)
    assert sealing.open_train(raw(case["key"]), case["counter"], frames) == raw(case["packet"])
    with pytest.raises(InvalidError):
        sealing.open_train(raw(case["key"]), case["counter"], frames[1:])


def test_packets_of_the_vectors() -> None:
    for case in SEALED["end"]["packets"]:
        inner = sealing.open_packet(raw(SEALED["end"]["key"]), case["counter"], raw(case["packet"]))
        assert inner == raw(case["inner"])


def test_counters_of_the_vectors() -> None:
    for case in SEALED["counters"]:
        assert sealing.counter_of(case["low"], case["greatest"]) == case["counter"]


@given(st.integers(0, 2**32 - 1), st.integers(-1, 2**40))
def test_both_find_the_same_counter(low: int, greatest: int) -> None:
    assert sealing.counter_of(low, greatest) == full_counter(low, greatest)


@given(st.lists(st.integers(0, 400), max_size=60), st.sampled_from((64, 128)))
def test_both_windows_take_the_same(numbers: list[int], size: int) -> None:
    first, second = ReplayWindow(size), sealing.Window(size)
    for number in numbers:
        fresh = first.fresh(number)
        assert second.take(number) == fresh
        if fresh:
            first.seen(number)


def test_the_window_of_the_vectors() -> None:
    window = sealing.Window(SEALED["window"]["size"])
    assert all(window.take(case["counter"]) == case["taken"] for case in SEALED["window"]["came"])


# --- announcements ---------------------------------------------------------------------------------------------


def test_announcements_of_the_vectors() -> None:
    genesis = raw(load("meshp-announcements.json")["genesis"])
    for case in ANNOUNCEMENTS["announcements"]:
        fields = meshp.read("UPDATE", raw(case["update"]))
        laid_out = b"".join(fields[name].to_bytes(width, "big") for name, width in meshp.ANNOUNCED[:4] if width)
        digest = tagged("meshp-announce", genesis, fields["key"], laid_out)
        assert digest.hex() == case["digest"]
        assert fields["signature"].hex() == case["signature"]
        assert verify_ed25519(fields["key"], digest, fields["signature"])


def test_digests_of_the_vectors() -> None:
    for case in ANNOUNCEMENTS["digests"]:
        laid_out = [
            raw(route["key"]) + route["seqno"].to_bytes(8, "big") + route["metric"].to_bytes(2, "big")
            for route in case["routes"]
        ]
        terms = [int.from_bytes(hashlib.blake2s(data, digest_size=8).digest(), "big") for data in laid_out]
        assert (sum(terms) % 2**64, len(terms)) == (case["digest"], case["count"])
