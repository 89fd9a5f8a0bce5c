"""The search as its owner drives it: in slices, on several workers, stopped, resumed."""

from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger import stamps
from meshchain.ledger.stamps import Slice, Stamp, StampSearch, search
from meshchain.ledger.workers import InlineWorkers
from tests.ledger.work.stamping import never

CHALLENGE, BITS, MEMORY = b"c" * 32, 5, 8


def begin(bits: int = BITS, start: int = 0) -> StampSearch:
    return StampSearch(CHALLENGE, bits, MEMORY, start)


def finish(searching: StampSearch, count: int = 10) -> Stamp:
    while (piece := searching.next_slice(count)) is not None:
        searching.feed(piece, *searching.run(piece, never))
    return searching.stamp(0, bytes(8))


def assert_good(stamp: Stamp, bits: int = BITS) -> None:
    assert stamp.bits == bits
    stamps.check_work(stamp, CHALLENGE, MEMORY, InlineWorkers())


def test_search_finds_the_first_nonce_of_its_range() -> None:
    nonce, tried = search(CHALLENGE, 3, 100, 10_000, BITS, MEMORY, never)
    assert nonce is not None
    assert tried == nonce - 100 + 1
    assert [stamps.meets(CHALLENGE, 3, n, BITS, MEMORY) for n in range(100, nonce + 1)] == [False] * (tried - 1) + [
        True
    ]
    assert search(CHALLENGE, 3, 100, nonce - 100, BITS, MEMORY, never) == (None, tried - 1)


def test_search_stops_when_told_and_ends_with_the_nonces() -> None:
    answers = iter([False, False, True])
    assert search(CHALLENGE, 0, 0, 1000, 64, MEMORY, lambda: next(answers)) == (None, 2)
    assert search(CHALLENGE, 0, 2**64 - 2, 1000, 64, MEMORY, never) == (None, 2)


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_whole_search(count: int) -> None:
    searching = begin()
    assert_good(finish(searching, count))
    assert searching.next_slice(count) is None
    assert (searching.unsolved, searching.expected_remaining(), searching.bound95()) == (0, 0, 0)
    assert searching.progress() == 1.0


def test_zero_bits_take_eight_hashes() -> None:
    searching = begin(bits=0)
    assert searching.expected_remaining() == 8 == searching.bound95()
    assert_good(finish(searching), bits=0)
    assert searching.tried == 8


def test_unfinished_search_has_no_stamp() -> None:
    with pytest.raises(ValueError, match="8 puzzles"):
        begin().stamp(0, bytes(8))


def test_slices_spread_over_puzzles_and_never_overlap() -> None:
    searching = begin(bits=40)
    pieces = [searching.next_slice(10) for _ in range(20)]
    assert all(pieces)
    spread = Counter(piece.index for piece in pieces if piece)
    assert sorted(spread.values()) == [2] * 4 + [3] * 4
    starts = sorted(piece.start for piece in pieces if piece)
    assert starts == list(range(0, 200, 10))


def test_slices_do_not_cross_the_end_of_the_nonces() -> None:
    searching = begin(start=2**64 - 5)
    assert searching.next_slice(10) == Slice(0, 2**64 - 5, 5)
    assert searching.next_slice(10) == Slice(1, 0, 10)


def test_late_and_second_results_change_nothing() -> None:
    searching = begin(bits=40)
    pieces = [piece for piece in (searching.next_slice(10) for _ in range(9)) if piece]
    same = [piece for piece in pieces if piece.index == 0]
    assert len(same) == 2
    searching.feed(same[0], 4, 5)
    searching.feed(same[1], 17, 8)
    assert searching.found[0] == 4
    assert (searching.tried, searching.unsolved) == (13, 7)
    assert searching.next_slice(10) not in (None, *same)


def test_run_ends_when_its_puzzle_is_solved() -> None:
    searching = begin(bits=64)
    piece = searching.next_slice(1000)
    assert piece is not None
    asked = 0

    def solved_elsewhere_after_three() -> bool:
        nonlocal asked
        asked += 1
        if asked == 4:
            searching.found[piece.index] = 1
        return False

    assert searching.run(piece, solved_elsewhere_after_three) == (None, 3)


def test_several_workers() -> None:
    """Three threads, as a node drives them: whoever is done gets the next slice."""
    searching = begin(bits=7)
    with ThreadPoolExecutor(3) as pool:
        running: dict[Future[tuple[int | None, int]], Slice] = {}
        while True:
            while len(running) < 3 and (piece := searching.next_slice(16)) is not None:
                running[pool.submit(searching.run, piece, never)] = piece
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                searching.feed(running.pop(future), *future.result())
    assert_good(searching.stamp(0, bytes(8)), bits=7)


def test_resume_keeps_what_was_found() -> None:
    searching = begin()
    while searching.unsolved > 3:
        piece = searching.next_slice(10)
        assert piece is not None
        searching.feed(piece, *searching.run(piece, never))
    again = StampSearch.resume(CHALLENGE, BITS, MEMORY, 10**6, searching.found, searching.tried)
    assert (again.found, again.tried) == (searching.found, searching.tried)
    stamp = finish(again)
    assert_good(stamp)
    assert [new for new, old in zip(stamp.nonces, searching.found, strict=True) if old is not None] == [
        nonce for nonce in searching.found if nonce is not None
    ]


def test_resume_with_more_bits_keeps_only_what_is_good_enough() -> None:
    nonces = finish(begin()).nonces
    harder = StampSearch.resume(CHALLENGE, BITS + 1, MEMORY, 10**6, nonces)
    kept = [stamps.meets(CHALLENGE, index, nonce, BITS + 1, MEMORY) for index, nonce in enumerate(nonces)]
    assert [nonce is not None for nonce in harder.found] == kept
    assert 0 < sum(kept) < 8
    assert_good(finish(harder), bits=BITS + 1)


def test_resume_drops_what_another_challenge_found() -> None:
    nonces = finish(begin(bits=10)).nonces
    other = StampSearch.resume(b"d" * 32, 10, MEMORY, 0, nonces)
    assert other.found == [None] * 8


@given(st.integers(0, 8), st.integers(0, 40), st.integers(0, 10**6))
def test_figures_depend_on_the_unsolved_puzzles_alone(solved: int, bits: int, tried: int) -> None:
    found = [0] * solved + [None] * (8 - solved)
    searching = StampSearch(CHALLENGE, bits, MEMORY, 0, found, tried)
    assert searching.expected_remaining() == (8 - solved) * 2**bits
    assert searching.bound95() >= searching.expected_remaining() or solved == 8
    assert 0 <= searching.progress() <= 1
