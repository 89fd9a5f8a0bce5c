"""What is no frame, packet or message, and the word by which it is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from meshrouter.errors import WireError
from meshrouter.wire import beacon, check, control, ends, frame, handshake, meshctl, packet, sec, train
from meshrouter.wire.nosession import NoSession
from tests.router.wire.samples import id_of

KEY = bytes(range(32))
ID = bytes(14)
MESHP = packet.Packet(next_header=packet.MESHSEC, source=ID, destination=ID, payload=b"abc").encode()
UPDATE = control.Update(id=ID, seqno=7, height=8, caps=1, zone=9, metric=96, signature=bytes(64)).encode()
REDIRECT = control.Redirect(id_of(KEY), KEY, b"mac-ad").encode()


def changed(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes((value,)) + data[at + 1 :]


REFUSED: tuple[tuple[str, Callable[[bytes], Any], bytes], ...] = (
    ("frame-size", frame.Frame.decode, b""),
    ("frame-size", frame.Frame.decode, bytes.fromhex("21 00 0000 00000000 000000")),
    ("frame-size", frame.Frame.decode, bytes.fromhex("21 00 0001 00000000 00000000")),
    ("frame-size", frame.Frame.decode, bytes.fromhex("29 00 000f 00000000 00000000") + bytes(15)),
    ("frame-size", frame.Frame.decode, bytes.fromhex("2a 80 0000 00000000 00000000")),
    ("frame-version", frame.Frame.decode, bytes.fromhex("01 00 0000 00000000 00000000")),
    ("frame-version", frame.Frame.decode, bytes.fromhex("41 00 0000 00000000 00000000")),
    ("frame-type", frame.Frame.decode, bytes.fromhex("20 00 0000 00000000 00000000")),
    ("frame-type", frame.Frame.decode, bytes.fromhex("27 00 0000 00000000 00000000")),
    ("frame-type", frame.Frame.decode, bytes.fromhex("2c 00 0010 00000000 00000000") + bytes(16)),
    ("frame-flags", frame.Frame.decode, bytes.fromhex("21 01 0000 00000000 00000000")),
    ("frame-flags", frame.Frame.decode, bytes.fromhex("29 80 0010 00000000 00000000") + bytes(16)),
    ("frame-flags", frame.Frame.decode, bytes.fromhex("2a 2d 0010 00000000 00000000") + bytes(16)),
    ("wire-size", beacon.Beacon.decode, bytes(43)),
    ("wire-size", beacon.Beacon.decode, bytes(45)),
    ("wire-size", beacon.Solicit.decode, bytes(45)),
    ("solicit-padding", beacon.Solicit.decode, bytes(43) + b"\1"),
    ("wire-size", handshake.Init.decode, bytes(173)),
    ("wire-size", handshake.Init.decode, bytes(124)),
    ("wire-size", handshake.Response.decode, bytes(172)),
    ("wire-size", handshake.Cookie.decode, bytes(57)),
    ("wire-size", handshake.LinkPayload.decode, bytes(72)),
    ("wire-size", handshake.EndPayload.decode, bytes(40)),
    ("wire-size", NoSession.decode, bytes(9)),
    ("control-size", control.decode_all, b"\5"),
    ("control-size", control.decode_all, b"\5\0\0\5\0"),
    ("control-size", control.decode_all, b"\x08\0\2\1"),
    ("control-size", control.decode_all, b"\xff\xff\xff"),
    ("wire-size", control.decode_all, b"\5\0\1\0"),
    ("wire-size", control.decode_all, b"\1\0\0"),
    ("wire-size", control.Update.decode, b""),
    ("wire-size", control.Update.decode, UPDATE[:-1]),
    ("wire-size", control.Update.decode, changed(UPDATE, 0, 1)),
    ("update-flags", control.Update.decode, changed(UPDATE, 0, 2)),
    ("redirect-address", control.Redirect.decode, changed(REDIRECT, 46, 33) + bytes(27)),
    ("wire-size", control.Redirect.decode, changed(REDIRECT, 46, 5)),
    ("wire-size", control.Redirect.decode, REDIRECT[:46]),
    ("redirect-id", control.Redirect.decode, changed(REDIRECT, 0, 1)),
    ("wire-size", control.Bye.decode, b""),
    ("packet-size", packet.Packet.decode, MESHP[:39]),
    ("packet-size", packet.Packet.decode, MESHP + b"\0"),
    ("packet-size", packet.Packet.decode, MESHP[:-1]),
    ("packet-version", packet.Packet.decode, changed(MESHP, 0, 0x45)),
    ("sec-size", sec.Sealed.decode, bytes(24)),
    ("super-size", sec.SuperPacket.decode, b"\6\0"),
    ("super-size", sec.SuperPacket.decode, b"\6\0\0rest"),
    ("super-protocol", sec.SuperPacket.decode, b"\1\0\1rest"),
    ("wire-size", ends.EndHandshake.decode, b"\1\0\0\0"),
    ("hs-type", ends.EndHandshake.decode, bytes(5)),
    ("hs-type", ends.EndHandshake.decode, b"\4\0\0\0\0"),
    ("hs-index", ends.EndHandshake.decode, b"\1\0\0\0\1"),
    ("ctl-size", meshctl.decode, b""),
    ("ctl-type", meshctl.decode, b"\0"),
    ("ctl-type", meshctl.decode, b"\xff"),
    ("wire-size", meshctl.decode, b"\1\1\0\0" + bytes(39)),
    ("wire-size", meshctl.decode, b"\1\1\0\0" + bytes(49)),
    ("error-code", meshctl.decode, b"\1\0\0\0" + bytes(48)),
    ("error-code", meshctl.decode, b"\1\6\0\0" + bytes(48)),
    ("piece-size", train.Piece.decode, b"\0\0\0"),
    ("piece-number", train.Piece.decode, b"\0\0\x10x"),
)


@pytest.mark.parametrize(("code", "decode", "data"), REFUSED, ids=lambda item: item if isinstance(item, str) else "")
def test_refused(code: str, decode: Callable[[bytes], Any], data: bytes) -> None:
    with pytest.raises(WireError) as caught:
        decode(data)
    assert caught.value.code == code


KEYED: tuple[tuple[Callable[[bytes], Any], bytes], ...] = (
    (beacon.Beacon.decode, beacon.Beacon(b"mesh", 0, 0, KEY, 0).encode()),
    (handshake.LinkPayload.decode, handshake.LinkPayload(KEY, 0, 0, 0).encode()),
    (handshake.EndPayload.decode, handshake.EndPayload(KEY, bytes(16), bytes(16), 0, 0, 0).encode()),
    (control.Redirect.decode, REDIRECT),
    (
        control.Update.decode,
        control.Update(
            id=id_of(KEY), key=KEY, seqno=7, height=8, caps=1, zone=9, metric=96, signature=bytes(64)
        ).encode(),
    ),
)


@pytest.mark.parametrize(("decode", "data"), KEYED)
def test_keys_whose_id_falls_into_the_claimed_block(
    decode: Callable[[bytes], Any], data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a key takes 2^64 attempts to find; so the hash is told to be one."""
    decode(data)
    monkeypatch.setattr(check, "node_id", lambda key: None)
    with pytest.raises(WireError) as caught:
        decode(data)
    assert caught.value.code == "wire-key"


def test_what_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="65535"):
        frame.clear(frame.BEACON, bytes(65_536))
    with pytest.raises(ValueError, match="65535"):
        packet.Packet(next_header=packet.MESHSEC, source=ID, destination=ID, payload=bytes(65_536)).encode()
