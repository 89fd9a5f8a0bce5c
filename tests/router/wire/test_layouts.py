"""Bytes written out by hand: the layouts of docs/spec/meshp.md, and the sizes that design and limits count on."""

from meshrouter.wire import beacon, control, ends, frame, handshake, meshctl, packet, sec, train
from meshrouter.wire.nosession import NoSession
from tests.router.wire.samples import id_of

KEY = bytes(range(32))
ID = bytes(range(0x40, 0x4E))
FAR = bytes(range(0x60, 0x6E))
SIGNATURE = bytes(range(0x80, 0xC0))


def test_frames() -> None:
    assert frame.clear(frame.BEACON, b"") == bytes.fromhex("21 00 0000 00000000 00000000")
    assert frame.clear(frame.RESPONSE, b"xy", 7) == bytes.fromhex("24 00 0002 00000007 00000000") + b"xy"
    sealed = frame.Frame(frame.PACKET, bytes(16), 0x01020304, 0xFFFFFFFE)
    assert sealed.header() == bytes.fromhex("29 00 0010 01020304 fffffffe")
    assert (frame.FIRST_CONTROL, frame.FIRST_PACKET, frame.FIRST_TRAIN, frame.FIRST_PIECE) == (0x28, 0x29, 0x2A, 0x2B)
    assert frame.OVERHEAD == 28


def test_what_ethernet_pads_is_cut() -> None:
    whole = frame.clear(frame.NOSESSION, bytes(8))
    assert frame.Frame.decode(whole.ljust(60, b"\xff")) == frame.Frame.decode(whole)


def test_beacons() -> None:
    body = beacon.Beacon(b"mesh", beacon.FORWARDS | beacon.TAKES_TRAINS, 9337, KEY, 70_000).encode()
    assert body == b"mesh" + bytes.fromhex("0005 2479") + KEY + bytes.fromhex("00011170")
    assert beacon.Solicit(b"mesh").encode() == b"mesh" + bytes(40)
    assert beacon.Solicit.SIZE == beacon.Beacon.SIZE == len(body) == 44


def test_handshakes() -> None:
    noise, mac1, mac2 = bytes(136), b"1" * 16, b"2" * 16
    init = handshake.Init(0x0A0B0C0D, noise, mac1, mac2)
    assert init.encode() == bytes.fromhex("0a0b0c0d") + noise + mac1 + mac2
    assert init.under_mac1 == init.encode()[:-32]
    assert init.under_mac2 == init.encode()[:-16]
    assert handshake.Init.SIZES == (172, 204)
    assert handshake.Response.SIZES == (124, 156)
    payload = handshake.LinkPayload(KEY, 3, 9337, 5)
    assert payload.encode() == KEY + bytes.fromhex("0003 2479 00000005")
    pair = handshake.EndPayload(KEY, b"s" * 16, b"d" * 16, 1, 1447, 5)
    assert pair.encode() == KEY + b"s" * 16 + b"d" * 16 + bytes.fromhex("0001 05a7 00000005")
    assert (handshake.LinkPayload.SIZE, handshake.EndPayload.SIZE) == (40, 72)


def test_an_answer_is_never_longer_than_the_question() -> None:
    for init, response in zip(handshake.Init.SIZES, handshake.Response.SIZES, strict=True):
        assert handshake.Cookie.SIZE < response < init
    assert beacon.Beacon.SIZE <= beacon.Solicit.SIZE


def test_no_session() -> None:
    assert NoSession(1, 2).encode() == bytes.fromhex("00000001 00000002")
    assert meshctl.encode(NoSession(1, 2)) == bytes.fromhex("02 00000001 00000002")


def test_control() -> None:
    hello = control.Hello(
        seq=1, sent=2, echo=3, held=4, received=0xFFFF, queue=6, mtu=1500, flags=1, digest=9, count=10
    )
    announced = bytes.fromhex("0000000000000007 00000008 0001 0009")
    update = control.Update(id=ID, seqno=7, height=8, caps=1, zone=9, metric=96, signature=SIGNATURE)
    first = control.Update(id=id_of(KEY), key=KEY, seqno=7, height=8, caps=1, zone=9, metric=96, signature=SIGNATURE)
    layouts: dict[bytes, control.Message] = {
        bytes.fromhex("01 0022 0001 00000002 00000003 00000004 ffff 0006 05dc 0001 0000000000000009 0000000a"): hello,
        bytes.fromhex("02 0061 00") + ID + announced + bytes.fromhex("0060") + SIGNATURE: update,
        bytes.fromhex("02 0073 01") + KEY + announced + bytes.fromhex("0060") + SIGNATURE: first,
        bytes.fromhex("03 0016") + ID + bytes.fromhex("0000000000000007"): control.Retract(ID, 7),
        bytes.fromhex("04 0017") + ID + bytes.fromhex("0000000000000007 40"): control.SeqnoRequest(ID, 7, 64),
        bytes.fromhex("05 0000"): control.Dump(),
        bytes.fromhex("06 0035") + id_of(KEY) + KEY + b"\6mac-ad": control.Redirect(id_of(KEY), KEY, b"mac-ad"),
        bytes.fromhex("07 000f") + ID + b"\x40": control.RouteRequest(ID, 64),
        bytes.fromhex("08 0001 02"): control.Bye(control.REPLACED),
    }
    assert {control.encode(message): message for message in layouts.values()} == layouts
    assert control.decode_all(b"".join(layouts)) == list(layouts.values())


def test_packets() -> None:
    made = packet.Packet(
        next_header=packet.MESHSEC,
        source=ID,
        destination=FAR,
        payload=b"abc",
        source_zone=1,
        destination_zone=2,
        hop_limit=63,
        traffic_class=0xB8,
        flow_label=0x12345,
    )
    header = bytes.fromhex("6b812345 0003 e0 3f 0001") + ID + bytes.fromhex("0002") + FAR
    assert made.encode() == header + b"abc"
    assert made.encode()[packet.SOURCE] == ID
    assert made.encode()[packet.DESTINATION] == FAR
    assert (made.encode()[packet.NEXT_HEADER_AT], made.encode()[packet.HOP_LIMIT_AT]) == (0xE0, 63)
    assert len(header) == packet.PACKET_SIZE


def test_a_length_of_zero_stands_for_all_that_follows() -> None:
    made = packet.Packet(next_header=packet.MESHSEC, source=ID, destination=FAR, payload=bytes(60_000))
    super_packet = bytearray(made.encode())
    super_packet[4:6] = bytes(2)
    assert packet.Packet.decode(bytes(super_packet)) == made


def test_sealed_packets() -> None:
    payload = sec.Sealed(5, 6, bytes(17)).encode()
    assert payload == bytes.fromhex("00000005 00000006") + bytes(17)
    whole = packet.Packet(next_header=packet.MESHSEC, source=ID, destination=FAR, payload=payload).encode()
    assert sec.associated(whole) == ID + FAR + bytes.fromhex("00000005 00000006")
    assert sec.SEC_OVERHEAD == 25
    assert sec.SuperPacket(sec.TCP, 1332, b"tcp").encode() == bytes.fromhex("06 0534") + b"tcp"


def test_the_largest_inner_packet() -> None:
    """The IPv6 header itself is not sent again: MESHP stands for it."""
    inside = frame.OVERHEAD + packet.PACKET_SIZE + sec.SEC_OVERHEAD - packet.PACKET_SIZE
    assert [mtu - inside for mtu in (1500, 1472, 1452)] == [1447, 1419, 1399]


def test_handshakes_of_ends() -> None:
    assert ends.EndHandshake(ends.END_RESPONSE, 9, b"body").encode() == bytes.fromhex("02 00000009") + b"body"


def test_errors() -> None:
    quote = bytes(range(48))
    assert meshctl.encode(meshctl.Error(meshctl.ErrorCode.TOO_BIG, 1400, quote)) == b"\1\1\x05\x78" + quote


def test_trains_and_pieces() -> None:
    assert train.train_aad(3, 4) == bytes.fromhex("2a 00 0000 00000003 00000004")
    assert train.car_header(0, 1460, 3, 4, last=False) == bytes.fromhex("2a 00 05b4 00000003 00000004")
    assert train.car_header(44, 5, 3, 4, last=True) == bytes.fromhex("2a ac 0005 00000003 00000004")
    assert train.Piece(0x0102, 3, True, b"x").encode() == bytes.fromhex("0102 83") + b"x"
    assert frame.MAX_CARS * (1472 - frame.HEADER_SIZE) >= train.MAX_TRAIN + frame.TAG_SIZE
