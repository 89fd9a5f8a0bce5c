"""A peer from greeting to goodbye: what is said when, and every message out of turn."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshchain.p2p.actions import Action, Close, Endpoint, Send
from meshchain.p2p.messages import (
    PROTOCOL,
    Addresses,
    BlockMessage,
    GetAddresses,
    GetBlocks,
    GetHeaders,
    GetOperations,
    Goodbye,
    Headers,
    Inventory,
    Message,
    NotFound,
    Operations,
    Ping,
    Pong,
    Ready,
    SendCompact,
    Version,
    Wanted,
)
from meshchain.p2p.session import GREETING_TIME, PING_EVERY, PONG_TIME, Session, Stage

OURS = Version(
    protocol=PROTOCOL,
    genesis=b"g" * 32,
    network="test",
    agent="meshchain/0",
    height=5,
    work=500,
    time=1_800_000_000,
    nonce=1,
    listen_port=4444,
    block_only=False,
)
THEIRS = replace(OURS, nonce=2, height=9)
OTHERS: list[Message] = [
    GetHeaders((bytes(32),)),
    Headers(()),
    GetBlocks((bytes(32),)),
    BlockMessage(bytes(200)),
    NotFound(Wanted.BLOCK, (bytes(32),)),
    Inventory((bytes(32),)),
    GetOperations((bytes(32),)),
    Operations((b"x",)),
    SendCompact(high_bandwidth=True),
    GetAddresses(),
    Addresses(()),
]
"""What is somebody else's to take."""


def session() -> Session:
    return Session(
        peer=7,
        key=b"k" * 32,
        endpoint=Endpoint(bytes(16), 4444),
        inbound=True,
        purpose="inbound",
        opened=100.0,
        ours=OURS,
    )


def ready() -> Session:
    found = session()
    found.received(THEIRS, 100.1)
    found.received(Ready(), 100.2)
    assert found.ready
    return found


def closes(actions: Sequence[Action] | None) -> list[str]:
    return [action.code for action in actions or () if isinstance(action, Close)]


def test_the_greeting() -> None:
    one, other = session(), session()
    other.ours = THEIRS
    assert one.begin() == [Send(7, OURS)]
    assert one.received(THEIRS, 100.1) == [Send(7, Ready())]
    assert one.stage is Stage.WELCOMED
    assert other.received(OURS, 100.1) == [Send(7, Ready())]
    assert one.received(Ready(), 100.2) == []
    assert one.ready
    assert one.theirs == THEIRS
    assert not other.ready


@pytest.mark.parametrize(
    ("theirs", "code", "words"),
    [
        (replace(THEIRS, network="mesh"), "wrong-network", "this node is on network test, not mesh"),
        (replace(THEIRS, genesis=b"h" * 32), "wrong-genesis", "67676767"),
        (replace(THEIRS, nonce=OURS.nonce), "self", "same node"),
        (replace(THEIRS, network="mesh", genesis=b"h" * 32), "wrong-network", "not mesh"),
    ],
)
def test_a_version_that_is_refused(theirs: Version, code: str, words: str) -> None:
    found = session()
    actions = found.received(theirs, 100.1)
    assert closes(actions) == [code]
    assert actions is not None
    assert isinstance(actions[0], Close)
    assert words in actions[0].reason
    assert len(actions) == 1, "closed without blame"
    assert found.stage is Stage.CLOSED
    assert found.received(Ready(), 100.2) == [], "nothing is looked at any more"
    assert not found.ready


@pytest.mark.parametrize("message", [*OTHERS, Ping(1), Pong(1), Ready()], ids=lambda m: type(m).__name__)
def test_before_the_greeting(message: Message) -> None:
    found = session()
    assert closes(found.received(message, 100.1)) == ["out-of-turn"]
    assert found.stage is Stage.CLOSED


@pytest.mark.parametrize("message", [*OTHERS, Ping(1), Pong(1), THEIRS], ids=lambda m: type(m).__name__)
def test_between_version_and_ready(message: Message) -> None:
    found = session()
    found.received(THEIRS, 100.1)
    assert closes(found.received(message, 100.1)) == ["out-of-turn"]


@pytest.mark.parametrize("message", [THEIRS, Ready()], ids=lambda m: type(m).__name__)
def test_a_greeting_after_the_greeting(message: Message) -> None:
    assert closes(ready().received(message, 101.0)) == ["out-of-turn"]


@pytest.mark.parametrize("message", OTHERS, ids=lambda m: type(m).__name__)
def test_what_is_for_others_is_passed_on(message: Message) -> None:
    found = ready()
    assert found.received(message, 101.0) is None
    assert found.heard == 101.0


def test_goodbye_at_any_stage() -> None:
    for found in (session(), ready()):
        actions = found.received(Goodbye("no-room", "another peer has taken this place"), 101.0)
        assert closes(actions) == ["goodbye"]
        assert "another peer has taken this place" in str(actions)
        assert found.received(Goodbye("again", ""), 101.0) == []


def test_a_greeting_that_takes_too_long() -> None:
    slow, half = session(), session()
    half.received(THEIRS, 119.0)
    for found in (slow, half):
        assert found.tick(100.0 + GREETING_TIME, 1) == []
        assert closes(found.tick(100.1 + GREETING_TIME, 1)) == ["greeting-timeout"]
        assert found.tick(200.0 + GREETING_TIME, 1) == [], "closed once"


def test_pings() -> None:
    found = ready()
    assert found.tick(100.25, 11) == [Send(7, Ping(11))]
    assert found.tick(100.5, 12) == [], "one at a time"
    assert found.received(Pong(99), 100.6) == []
    assert session().round_trip == found.best_round_trip, "that was no answer"
    assert found.received(Pong(11), 100.75) == []
    assert found.round_trip == found.best_round_trip == 0.5
    assert found.received(Pong(11), 105.0) == []
    assert found.round_trip == 0.5, "answered once"
    assert found.tick(100.25 + PING_EVERY - 1, 13) == []
    assert found.tick(100.25 + PING_EVERY, 13) == [Send(7, Ping(13))]
    found.received(Pong(13), 100.25 + PING_EVERY + 2)
    assert (found.round_trip, found.best_round_trip) == (2.0, 0.5)


def test_a_round_trip_of_no_time_at_all_is_the_best() -> None:
    found = ready()
    for n, late in enumerate((0.0, 3.0)):
        now = 101.0 + n * PING_EVERY
        found.tick(now, n)
        found.received(Pong(n), now + late)
    assert (found.round_trip, found.best_round_trip) == (3.0, 0.0)


def test_a_ping_without_an_answer() -> None:
    found = ready()
    found.tick(101.0, 11)
    found.received(Headers(()), 101.0 + PONG_TIME)
    assert found.tick(101.0 + PONG_TIME, 12) == []
    assert closes(found.tick(101.1 + PONG_TIME, 12)) == ["ping-timeout"], "talking is not answering"


def test_a_ping_is_answered() -> None:
    assert ready().received(Ping(5), 101.0) == [Send(7, Pong(5))]


def test_a_connection_that_is_ended_elsewhere() -> None:
    found = ready()
    found.end()
    assert found.received(Ping(5), 101.0) == []
    assert found.received(OTHERS[0], 101.0) == []
    assert found.tick(1000.0, 1) == []
    assert closes(found.received(THEIRS, 1001.0)) == []


ANY = st.sampled_from([*OTHERS, THEIRS, replace(THEIRS, network="x"), Ready(), Ping(3), Pong(11), Goodbye("a", "b")])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(ANY, st.floats(0, 50)), max_size=12))
def test_any_order_of_messages(history: list[tuple[Message, float]]) -> None:
    """Ready only after exactly Version, Ready; at most one Close, and nothing after it."""
    found, now, ended, said = session(), 100.0, False, []
    for message, wait in history:
        now += wait
        for actions in (found.tick(now, 11), found.received(message, now)):
            if actions is None:
                assert found.ready
                continue
            assert not (ended and actions), "silent after the end"
            assert len(closes(actions)) <= 1
            ended = ended or bool(closes(actions))
        said.append(message)
        if found.ready:
            assert said[:2] == [THEIRS, Ready()]
    assert ended == (found.stage is Stage.CLOSED)
