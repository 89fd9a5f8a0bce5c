"""``--wait`` on a clock that only the test moves."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from meshchain.rpc.client.errors import NodeUnreachable
from wallet import progress
from wallet.display import MovingLines, PlainLines
from wallet.errors import RefusalError
from wallet.progress import Watch, describe, duration, follow
from wallet.remote import Queued

STAMP = {"bits": 13, "rate": 812.4, "percent": 37.6, "expected_s": 95.0, "bound95_s": 7300.0}
COMMIT = Queued("c1", "commit", None, "queued", 0, "", "sent when the stamp is found", None, None, None)
REVEAL = replace(COMMIT, txid="r1", kind="reveal", name="alice", blocks_to_go=2, next_change="in 4 minutes")
AWAY = NodeUnreachable("unreachable", "no node answers at http://127.0.0.1:9")


@dataclass
class Bench:
    """Answers of the queue, one a look (the last one stays), and what was shown."""

    answers: Sequence[Sequence[Queued] | NodeUnreachable]
    now: float = 0.0
    known: Callable[[str], bool] = lambda _txid: False
    shown: list[str] = field(default_factory=list)
    closed: bool = False

    def watch(self, timeout: float | None = None) -> Watch:
        return Watch(self.queue, self.known, lambda: self.now, self.pause, self, timeout)

    def queue(self) -> Sequence[Queued]:
        answer = self.answers[0]
        self.answers = self.answers[1:] or self.answers
        if isinstance(answer, NodeUnreachable):
            raise answer
        return answer

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def show(self, stage: str, text: str) -> None:
        self.shown.append(text)

    def close(self) -> None:
        self.closed = True


def _confirmed(item: Queued, confirmations: int = 1) -> Queued:
    return replace(item, state="confirmed", confirmations=confirmations)


def test_from_stamp_to_confirmation() -> None:
    bench = Bench(
        [
            [replace(COMMIT, stamp=STAMP), REVEAL],
            [replace(COMMIT, state="pending"), REVEAL],
            [replace(COMMIT, state="pending"), replace(REVEAL, stamp={**STAMP, "expected_s": None})],
            [_confirmed(COMMIT), replace(REVEAL, state="committed")],
            [_confirmed(COMMIT, 5), _confirmed(REVEAL, 2)],
        ]
    )
    assert follow(bench.watch(), ["c1", "r1"]) == 2
    assert bench.shown == [
        "commit: stamp of 13 bits: 38 % at 812 hashes/s, about 1 min 35 s to go (95 %: under 2 h 1 min)",
        "commit: pending. sent when the stamp is found",
        "commit: pending. sent when the stamp is found\nreveal of alice.mesh: stamp of 13 bits: 38 %",
        "reveal of alice.mesh: committed, 2 blocks to go. in 4 minutes",
    ]
    assert bench.closed


@pytest.mark.parametrize("state", ["conflict-lost", "expired", "refused"])
def test_a_lost_operation_ends_the_wait_with_its_reason(state: str) -> None:
    bench = Bench([[replace(REVEAL, state=state, reason="somebody was faster", winner="ff")]])
    with pytest.raises(RefusalError, match="somebody was faster") as caught:
        follow(bench.watch(), ["r1"])
    assert (caught.value.code, caught.value.exit_code, caught.value.data["winner"]) == (state, 1, "ff")
    assert bench.closed


def test_a_commit_that_the_queue_dropped_is_settled() -> None:
    bench = Bench([[REVEAL], [_confirmed(REVEAL)]])
    assert follow(bench.watch(), ["c1", "r1"]) == 1


def test_what_the_queue_forgot_is_looked_for_in_the_chain() -> None:
    assert follow(Bench([[]], known=lambda txid: txid == "r1").watch(), ["c1", "r1"]) == 1
    with pytest.raises(RefusalError) as caught:
        follow(Bench([[]]).watch(), ["r1"])
    assert caught.value.code == "forgotten"


def test_a_node_may_be_away_for_a_moment_only() -> None:
    bench = Bench([AWAY, AWAY, [_confirmed(REVEAL)]])
    assert follow(bench.watch(), ["r1"]) == 1
    assert bench.shown == ["the node does not answer; waiting for it to come back"] * 2
    gone = Bench([AWAY])
    with pytest.raises(NodeUnreachable) as caught:
        follow(gone.watch(), ["r1"])
    assert caught.value is AWAY
    assert gone.now >= progress.PATIENCE


def test_a_timeout_is_a_code_of_its_own() -> None:
    bench = Bench([[REVEAL]])
    with pytest.raises(NodeUnreachable, match="not confirmed within 3 s; the node goes on by itself") as caught:
        follow(bench.watch(timeout=3), ["r1"])
    assert (caught.value.code, caught.value.exit_code) == ("wait-timeout", 2)
    assert 3 <= bench.now < 4


def test_durations_for_people() -> None:
    assert [duration(s) for s in (-1, 0.4, 59, 60, 3599, 3600, 90_000)] == [
        "0 s", "0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "25 h 0 min",
    ]  # fmt: skip


def test_a_stamp_without_a_rate_yet() -> None:
    young = {"bits": 13, "rate": 0.0, "percent": 0.0, "expected_s": None, "bound95_s": None}
    assert describe(replace(REVEAL, stamp=young)) == "reveal of alice.mesh: stamp of 13 bits: 0 %"


def test_a_terminal_gets_few_lines_and_no_control_characters() -> None:
    stream = io.StringIO()
    lines = MovingLines(stream)
    lines.show("a", "one\x1b[2J")
    assert stream.getvalue() == "\r\033[Kone\\x1b[2J"
    lines.show("a", "x" * 5000)
    lines.close()
    assert "\x1b[2J" not in stream.getvalue()
    assert len(stream.getvalue()) < 1000


def test_long_lines_are_wrapped_and_all_of_them_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "31")
    stream = io.StringIO()
    lines = MovingLines(stream)
    lines.show("a", "commit of alice.mesh: pending\nreveal of alice.mesh: stamp of 13 bits: 38 %")
    assert stream.getvalue().split("\n")[1:] == ["reveal of alice.mesh: stamp of", "13 bits: 38 %"]
    stream.truncate(stream.seek(0))
    lines.close()
    assert stream.getvalue() == "\r\033[K\033[A\033[K\033[A\033[K"


def test_a_log_gets_a_line_when_something_happened() -> None:
    stream, now = io.StringIO(), [0.0]
    lines = PlainLines(stream, lambda: now[0])
    for second in range(31):
        now[0] = float(second)
        lines.show("stamping", f"{second} %")
    lines.show("sent", "done")
    now[0] += 100
    lines.show("sent", "done")
    lines.close()
    assert stream.getvalue().splitlines() == ["0 %", "15 %", "30 %", "done"]
