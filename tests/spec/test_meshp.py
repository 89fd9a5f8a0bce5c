"""meshp-*.json: this implementation says and takes what the files say."""

from collections.abc import Callable
from typing import Any

import pytest

from docs.spec.making.meshp_formats import CLASSES, fields_of
from docs.spec.making.meshp_handshakes import ANN, BEN
from meshchain.crypto import sign_ed25519, verify_ed25519, x25519_public_from_ed25519
from meshrouter.errors import WireError
from meshrouter.handshake import Door, Initiation, Offer, Opener, ReplayWindow, full_counter
from meshrouter.identity import Identity
from meshrouter.neighbours.session import LinkSession
from meshrouter.routing.digest import Account
from meshrouter.wire import control, frame, meshctl, packet, sec, train
from meshrouter.wire.ends import EndHandshake
from tests.spec.reading import load, raw

FORMATS, HANDSHAKES = load("meshp-formats.json"), load("meshp-handshakes.json")
SEALED, ANNOUNCEMENTS = load("meshp-sealed.json"), load("meshp-announcements.json")
DECODERS = {name: cls.decode for name, cls in CLASSES.items()} | {
    "control": control.decode_all,
    "MESHCTL": meshctl.decode,
}


# --- formats ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", FORMATS["formats"], ids=lambda case: case["format"])
def test_formats_both_ways(case: dict[str, Any]) -> None:
    value = DECODERS[case["format"]](raw(case["bytes"]))
    assert fields_of(value) == case["fields"]
    assert value.encode().hex() == case["bytes"]


def test_every_format_and_message_has_a_vector() -> None:
    assert {case["format"] for case in FORMATS["formats"]} == set(CLASSES)
    assert {*control.TYPES.values(), *meshctl.TYPES.values()} <= set(CLASSES.values())


@pytest.mark.parametrize("case", FORMATS["control"], ids=lambda case: case["why"])
def test_sequences_of_messages(case: dict[str, Any]) -> None:
    messages = control.decode_all(raw(case["bytes"]))
    assert [fields_of(message) for message in messages] == [message["fields"] for message in case["messages"]]


@pytest.mark.parametrize("case", FORMATS["refused"], ids=lambda case: f"{case['format']}: {case['why']}")
def test_refused_bytes(case: dict[str, Any]) -> None:
    with pytest.raises(WireError) as caught:
        DECODERS[case["format"]](raw(case["bytes"]))
    assert caught.value.code == case["code"]


# --- handshakes ------------------------------------------------------------------------------------------------


def test_the_sides_of_the_handshakes() -> None:
    for side, word in ((ANN, "initiator"), (BEN, "responder")):
        known = HANDSHAKES[word]
        identity = Identity.from_seed(raw(known["seed"]))
        assert (identity.key.hex(), identity.id.hex()) == (known["key"], known["id"])
        assert x25519_public_from_ed25519(identity.key).hex() == known["x25519"]
        assert side.shown() == known


@pytest.mark.parametrize("kind", ["link", "end"])
def test_a_handshake(kind: str) -> None:
    case = HANDSHAKES[kind]
    first, second = map(raw, case["payloads"])
    initiation = Initiation(ANN.identity, BEN.identity.key, raw(case["prologue"]), first, ANN.index, ANN.rng)
    assert initiation.message() == body(kind, case["init"])
    offer = Door(BEN.identity, raw(case["prologue"]), BEN.rng).consume(initiation.message(), b"", 0.0)
    assert isinstance(offer, Offer)
    assert (offer.key, offer.payload, offer.remote_index) == (ANN.identity.key, first, ANN.index)
    response, back, forth = offer.answer(second, BEN.index)
    assert response == body(kind, case["response"])
    assert {"forth": forth.hex(), "back": back.hex()} == case["keys"]
    initiation.read_cookie(body(kind, case["cookie"]["message"]))
    assert initiation.message() == body(kind, case["cookie"]["init"])
    finished = initiation.finish(response)
    assert (finished.payload, finished.remote_index) == (second, BEN.index)
    assert (finished.send, finished.receive) == (forth, back)


@pytest.mark.parametrize("case", HANDSHAKES["refused"], ids=lambda case: case["why"])
def test_refused_handshakes(case: dict[str, Any]) -> None:
    link = HANDSHAKES["link"]
    initiation = Initiation(
        ANN.identity, BEN.identity.key, raw(link["prologue"]), raw(link["payloads"][0]), ANN.index, ANN.rng
    )
    door = Door(BEN.identity, raw(link["prologue"]), BEN.rng)
    takes: dict[str, Callable[[bytes], object]] = {
        "responder": lambda found: door.consume(found, b"", 0.0),
        "initiator": initiation.finish,
        "cookie": initiation.read_cookie,
    }
    with pytest.raises(WireError) as caught:
        takes[case["to"]](raw(case["body"]))
    assert caught.value.code == case["code"]


def body(kind: str, text: str) -> bytes:
    """Of a clear frame, or of a MESHHS packet."""
    if kind == "link":
        return frame.Frame.decode(raw(text)).body
    return EndHandshake.decode(packet.Packet.decode(raw(text)).payload).body


# --- what is sealed --------------------------------------------------------------------------------------------


def session(case: dict[str, Any], counter: int = 0) -> LinkSession:
    made = LinkSession(SEALED["link"]["index"], SEALED["link"]["index"], raw(case["key"]), raw(case["key"]))
    made.sealer.counter = counter
    return made


def follow(window: ReplayWindow, counter: int) -> None:
    """The high half of a number is known from the one before."""
    if counter:
        window.seen(counter - 1)


def test_link_frames() -> None:
    link = SEALED["link"]
    for case in link["frames"]:
        sealed = session(link, case["counter"]).seal(case["type"], raw(case["plaintext"]))
        assert sealed.hex() == case["bytes"]
        receiver = session(link)
        follow(receiver.window, case["counter"])
        assert receiver.open(raw(case["bytes"]) + b"padding") == raw(case["plaintext"])


def test_a_train() -> None:
    case = SEALED["train"]
    size = len(raw(case["frames"][0])) - frame.HEADER_SIZE
    cars = session(case, case["counter"]).seal_cars(raw(case["packet"]), size).frames()
    assert [car.hex() for car in cars] == case["frames"]


def test_pieces() -> None:
    pieces = [train.Piece.decode(raw(text)) for text in SEALED["pieces"]["plaintexts"]]
    assert b"".join(piece.content for piece in pieces) == raw(SEALED["pieces"]["packet"])
    assert [piece.number for piece in pieces] == list(range(len(pieces)))
    assert [piece.last for piece in pieces] == [False] * (len(pieces) - 1) + [True]


def test_packets_between_ends() -> None:
    for case in SEALED["end"]["packets"]:
        opener = Opener(raw(SEALED["end"]["key"]), 8192)
        follow(opener.window, case["counter"])
        whole = raw(case["packet"])
        sealed = sec.Sealed.decode(packet.Packet.decode(whole).payload)
        assert sealed.index == SEALED["end"]["index"]
        assert opener.open(sealed.counter, sealed.ciphertext, sec.associated(whole)) == raw(case["inner"])


def test_counters_and_window() -> None:
    for case in SEALED["counters"]:
        assert full_counter(case["low"], case["greatest"]) == case["counter"]
    window = session(SEALED["link"]).window
    assert window.size == SEALED["window"]["size"]
    for case in SEALED["window"]["came"]:
        assert window.fresh(case["counter"]) == case["taken"]
        if case["taken"]:
            window.seen(case["counter"])


# --- announcements ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ANNOUNCEMENTS["announcements"], ids=lambda case: str(case["fields"]["seqno"]))
def test_announcements(case: dict[str, Any]) -> None:
    genesis, key, fields = raw(ANNOUNCEMENTS["genesis"]), raw(case["key"]), case["fields"]
    digest = control.announcement(genesis, key, **fields)
    assert digest.hex() == case["digest"]
    assert sign_ed25519(raw(case["seed"]), digest).hex() == case["signature"]
    update = control.Update.decode(raw(case["update"]))
    assert (update.id.hex(), update.key, update.metric) == (case["id"], key, 0)
    assert verify_ed25519(key, update.signed(genesis, key), update.signature)


def test_digests() -> None:
    for case in ANNOUNCEMENTS["digests"]:
        account = Account()
        for number, route in enumerate(case["routes"]):
            account.put(bytes((number,)), raw(route["key"]), route["seqno"], route["metric"])
        assert account.digest == (case["digest"], case["count"])
