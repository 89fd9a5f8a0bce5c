import threading

import pytest

from meshchain.ledger.workers import InlineWorkers, ThreadWorkers, Workers, usable_cores


@pytest.mark.parametrize("count", [0, 1, 2, 3, 31, 1000])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_order(threads: int, count: int) -> None:
    with ThreadWorkers(threads) as workers:
        assert workers.threads == threads
        assert workers.map(str, range(count)) == [str(n) for n in range(count)]


def test_inline() -> None:
    caller = threading.get_ident()
    workers: Workers = InlineWorkers()
    assert workers.threads == 1
    assert workers.map(lambda n: (n, threading.get_ident()), [1, 2]) == [(1, caller), (2, caller)]


def test_threads_work_at_the_same_time() -> None:
    meeting = threading.Barrier(3)
    with ThreadWorkers(3) as workers:
        assert sorted(workers.map(lambda _: meeting.wait(timeout=30), range(3))) == [0, 1, 2]


def test_the_first_error_is_raised() -> None:
    with ThreadWorkers(2) as workers:
        with pytest.raises(ZeroDivisionError):
            workers.map(lambda n: 1 // n, [3, 2, 1, 0, 1])
        assert workers.map(abs, [-1, -2]) == [1, 2]  # and the pool lives on


def test_map_inside_map_runs_in_the_same_thread() -> None:
    """Two of six threads map again: were the inner work handed out, others would do some of it."""
    both = threading.Barrier(2)

    def outer(n: int) -> list[tuple[int, bool]]:
        both.wait(timeout=30)
        here = threading.get_ident()
        return workers.map(lambda m: (n * m, threading.get_ident() == here), range(50))

    with ThreadWorkers(6) as workers:
        table = workers.map(outer, range(2))
    assert table == [[(n * m, True) for m in range(50)] for n in range(2)]


def test_initializer_runs_once_in_each_thread() -> None:
    seen: list[int] = []
    meeting = threading.Barrier(2)
    with ThreadWorkers(2, initializer=lambda: seen.append(threading.get_ident())) as workers:
        for _ in range(5):
            workers.map(lambda _: meeting.wait(timeout=30), range(2))
    assert len(seen) == 2 == len(set(seen))


def test_closed_pool_refuses() -> None:
    workers = ThreadWorkers(2)
    workers.close()
    with pytest.raises(RuntimeError):
        workers.map(abs, [1, 2])


def test_default_is_the_usable_cores() -> None:
    with ThreadWorkers() as workers:
        assert workers.threads == usable_cores() >= 1


def test_of_several_errors_the_first_in_order_is_raised() -> None:
    later_failed = threading.Event()

    def fail(n: int) -> int:
        if n == 0:
            assert later_failed.wait(timeout=30)
            raise KeyError(n)
        if n == 8:
            later_failed.set()
            raise ValueError(n)
        return n

    with ThreadWorkers(2) as workers, pytest.raises(KeyError):
        workers.map(fail, range(16))
