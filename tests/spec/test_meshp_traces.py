"""meshp-traces.json and meshp-groups.json, read by both implementations."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.crypto import ed25519_public_key, verify_ed25519
from meshrouter.errors import WireError
from meshrouter.groups.message import GroupData
from meshrouter.links.link import Medium
from meshrouter.trace.echo import Echo, EchoReply
from meshrouter.trace.probe import Probe
from meshrouter.trace.report import SignedReport
from meshrouter.wire import meshctl
from meshrouter.wire.packet import MC_DATA, Packet
from tests.spec.reading import load, raw
from tests.spec.second import meshp
from tests.spec.second.values import InvalidError, tagged

TRACES, GROUPS = load("meshp-traces.json"), load("meshp-groups.json")
GENESIS = raw(TRACES["genesis"])
CLEAR = {Probe.TYPE: Probe, SignedReport.TYPE: SignedReport}
SEALED = {Echo.TYPE: Echo, EchoReply.TYPE: EchoReply}


def first_takes(data: bytes) -> bool:
    try:
        meshctl.decode(data, CLEAR)
    except WireError:
        return False
    return True


def second_takes(data: bytes) -> bool:
    try:
        meshp.trace(data)
    except InvalidError:
        return False
    return True


# --- traceroute ------------------------------------------------------------------------------------------------


def test_the_ticket() -> None:
    data = raw(TRACES["ticket"])
    fields = meshp.ticket(data)
    assert fields["key"] == ed25519_public_key(raw(TRACES["seed"]))
    assert verify_ed25519(fields["key"], tagged("meshp-trace", GENESIS, data[:67]), fields["signature"])


def test_the_probes() -> None:
    """Each carries the ticket and the hash of the report before."""
    for text, report in zip(TRACES["probes"], TRACES["reports"], strict=False):
        probe = meshctl.decode(raw(text), CLEAR)
        assert isinstance(probe, Probe)
        assert meshctl.encode(probe).hex() == text
        assert probe.ticket.holds(GENESIS, verify_ed25519)
        fields = meshp.trace(raw(text))
        assert (fields["direction"], fields["previous"]) == (probe.direction, raw(report["hash"]))
        assert fields["ticket"] == meshp.ticket(raw(TRACES["ticket"]))


@pytest.mark.parametrize("case", TRACES["reports"], ids=lambda case: str(case["hop_limit"]))
def test_a_report(case: dict[str, Any]) -> None:
    signed = meshctl.decode(raw(case["bytes"]), CLEAR)
    assert isinstance(signed, SignedReport)
    assert meshctl.encode(signed).hex() == case["bytes"]
    assert signed.holds(verify_ed25519)
    fields = meshp.trace(raw(case["bytes"]))
    digest = tagged("meshp-report", raw(case["bytes"])[1:250])
    assert digest.hex() == case["hash"] == signed.report.digest.hex()
    assert fields["key"] == ed25519_public_key(raw(case["seed"]))
    assert verify_ed25519(fields["key"], digest, fields["signature"])
    assert (fields["hop_limit"], bool(fields["flags"] & 1)) == (case["hop_limit"], case["ends"])
    for way in ("ingress", "egress"):
        assert (fields[way] and fields[way]["key"].hex()) == case[way]


def test_reports_stand_beside_each_other() -> None:
    fields = [meshp.trace(raw(case["bytes"])) for case in TRACES["reports"]]
    for before, after, case in zip(fields, fields[1:], TRACES["reports"], strict=False):
        assert after["previous"].hex() == case["hash"]
        assert after["ingress"]["key"] == before["key"]
        assert before["egress"]["key"] == after["key"]
    signed = meshctl.decode(raw(TRACES["reports"][1]["bytes"]), CLEAR)
    assert isinstance(signed, SignedReport)
    assert signed.report.ingress is not None
    assert (signed.report.ingress.medium, fields[1]["ingress"]["medium"]) == (Medium.ETHERNET, 3)


@pytest.mark.parametrize("case", TRACES["refused"], ids=lambda case: case["why"])
def test_refused(case: dict[str, Any]) -> None:
    with pytest.raises(WireError) as caught:
        meshctl.decode(raw(case["bytes"]), CLEAR)
    assert caught.value.code == case["code"]
    assert not second_takes(raw(case["bytes"]))


@given(st.sampled_from([*TRACES["probes"], *(case["bytes"] for case in TRACES["reports"])]), st.data())
def test_both_judge_changed_bytes_alike(text: str, data: st.DataObject) -> None:
    changed = bytearray(raw(text))
    for _ in range(data.draw(st.integers(1, 2))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    assert second_takes(bytes(changed)) == first_takes(bytes(changed))


def test_pings() -> None:
    case = TRACES["echo"]
    probe, reply = (meshctl.decode(raw(case[word]), SEALED) for word in ("probe", "reply"))
    assert isinstance(probe, Echo)
    assert probe.reply(case["hop_limit"]) == reply
    assert raw(case["reply"]) == b"\4" + raw(case["probe"])[1:12] + bytes((62,)) + raw(case["probe"])[12:]


# --- groups ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", GROUPS["packets"], ids=lambda case: case["why"])
def test_packets_for_groups(case: dict[str, Any]) -> None:
    key, genesis = raw(GROUPS["key"]), raw(GROUPS["genesis"])
    packet = Packet.decode(raw(case["packet"]))
    data = GroupData.decode(packet.payload)
    assert (packet.next_header, data.encode()) == (MC_DATA, packet.payload)
    assert data.holds(key, genesis, packet.source_zone, packet.destination, verify_ed25519)
    assert data.source(packet.source).hex() == case["source"]
    fields = meshp.read("MESHP", raw(case["packet"]))
    payload = fields["payload"]
    zone = fields["source_zone"].to_bytes(2, "big")
    assert b"\xff\x18" + fields["destination"] == raw(case["group"])
    assert fields["source"] == meshp.id_of(key)
    assert (int.from_bytes(payload[:8], "big"), payload[14]) == (case["seq"], case["next_header"])
    assert payload[79:].hex() == case["content"]
    digest = tagged("meshp-group", genesis, zone, fields["destination"], key, payload[:15], payload[79:])
    assert verify_ed25519(key, digest, payload[15:79])


def test_refused_packets_for_groups() -> None:
    for case in GROUPS["refused"]:
        with pytest.raises(WireError) as caught:
            GroupData.decode(raw(case["payload"]))
        assert caught.value.code == case["code"]
