"""The book against a slow model: a list of addresses that is searched from end to end, in tables of a few places."""

from dataclasses import dataclass, replace
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from meshchain.p2p.actions import Endpoint
from meshchain.p2p.addresses import AddressBook, Known, decode, encode, group_of
from meshchain.p2p.addresses.known import HOPELESS, SHAKEN, STALE
from meshchain.p2p.addresses.places import Place, Places, Shape
from tests.p2p.addresses.crowd import NOW, v4

TINY = Shape(new=3, tried=2, size=2, a_source=2, a_position=2)
ENDPOINTS = [v4(10 + n % 3, n % 4, 0, n) for n in range(1, 25)]
SOURCES = [b"one", b"two", b"three"]
endpoints = st.sampled_from(ENDPOINTS)


@dataclass
class Row:
    known: Known
    tried: bool


class Model:
    """Rows, and where each belongs; every question reads all of them."""

    def __init__(self, secret: bytes) -> None:
        self.places = Places(secret, group_of, TINY)
        self.rows: list[Row] = []
        self.challenged: list[tuple[Endpoint, Endpoint]] = []
        self.last_answer = 0

    def where(self, known: Known, tried: bool) -> Place:
        return self.places.in_tried(known.endpoint) if tried else self.places.in_new(known.endpoint, known.source)

    def row(self, endpoint: Endpoint) -> Row | None:
        return next((row for row in self.rows if row.known.endpoint == endpoint), None)

    def at(self, tried: bool, place: Place) -> Row | None:
        found = [row for row in self.rows if row.tried == tried and self.where(row.known, tried) == place]
        assert len(found) <= 1
        return found[0] if found else None

    def bad(self, known: Known, wall: float) -> bool:
        gone = wall - max(known.seen, known.answered) > STALE
        return gone or (known.failures >= HOPELESS and not known.answered)

    def drop(self, row: Row) -> None:
        self.rows.remove(row)
        self.challenged = [pair for pair in self.challenged if pair[0] != row.known.endpoint]

    def enter(self, known: Known, tried: bool, wall: float) -> bool:
        holder = self.at(tried, self.where(known, tried))
        if holder is not None:
            if not self.bad(holder.known, wall):
                return False
            self.drop(holder)
        self.rows.append(Row(known, tried))
        return True

    def add(self, endpoint: Endpoint, source: bytes, seen: int, wall: float) -> bool:
        row = self.row(endpoint)
        if row is None:
            return self.enter(Known(endpoint, source, None, min(seen, int(wall))), False, wall)
        row.known = replace(row.known, seen=max(row.known.seen, min(seen, int(wall))))
        return False

    def attempted(self, endpoint: Endpoint, wall: float) -> None:
        row = self.row(endpoint)
        if row is not None:
            more = 1 if row.known.tried <= self.last_answer else 0
            row.known = replace(row.known, tried=int(wall), failures=row.known.failures + more)

    def answered(self, endpoint: Endpoint, wall: float, key: bytes) -> None:
        if self.row(endpoint) is None:
            self.enter(Known(endpoint, group_of(endpoint.ip), key, int(wall)), False, wall)
        row = self.row(endpoint)
        if row is None:
            return
        now = self.last_answer = int(wall)
        row.known = replace(row.known, key=key, seen=now, tried=now, answered=now, failures=0)
        self.challenged = [pair for pair in self.challenged if pair[0] != endpoint]
        if not row.tried:
            self.want_tried(row, wall)

    def want_tried(self, row: Row, wall: float) -> None:
        holder = self.at(True, self.where(row.known, True))
        if holder is not None and holder.known.failures < SHAKEN and not self.bad(holder.known, wall):
            if holder.known.endpoint not in [pair[0] for pair in self.challenged]:
                self.challenged.append((holder.known.endpoint, row.known.endpoint))
            return
        self.drop(row)
        if holder is not None:
            self.drop(holder)
        self.enter(row.known, True, wall)
        if holder is not None:
            self.enter(holder.known, False, wall)

    def settle(self, wall: float) -> None:
        for holder, challenger in list(self.challenged):
            rows = self.row(holder), self.row(challenger)
            assert rows[0] is not None
            if rows[1] is None or rows[1].tried:
                self.challenged.remove((holder, challenger))
            elif rows[0].known.failures >= SHAKEN:
                self.want_tried(rows[1], wall)


class BookMachine(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 50))
    def begin(self, seed: int) -> None:
        self.wall = float(NOW)
        self.book = AddressBook(bytes((seed,)) * 32, Random(seed), shape=TINY)
        self.model = Model(self.book.secret)

    @rule(endpoint=endpoints, source=st.sampled_from(SOURCES), age=st.sampled_from([-100, 0, 86400, 31 * 86400]))
    def add(self, endpoint: Endpoint, source: bytes, age: int) -> None:
        seen = int(self.wall) - age
        expected = self.model.add(endpoint, source, seen, self.wall)
        assert self.book.add(endpoint, source, seen, self.wall) == expected

    @rule(endpoint=endpoints)
    def attempted(self, endpoint: Endpoint) -> None:
        self.model.attempted(endpoint, self.wall)
        self.book.attempted(endpoint, self.wall)

    @rule(endpoint=endpoints, key=st.sampled_from([b"a" * 32, b"b" * 32]))
    def answered(self, endpoint: Endpoint, key: bytes) -> None:
        self.model.answered(endpoint, self.wall, key)
        self.book.answered(endpoint, self.wall, key)

    @rule()
    def to_test(self) -> None:
        self.model.settle(self.wall)
        found = self.book.to_test(self.wall)
        held = [self.model.row(holder) for holder, _ in self.model.challenged]
        due = [row.known for row in held if row is not None and row.known.is_due(self.wall)]
        if due:
            assert found == due[0]
        elif found is not None:
            assert Row(found, tried=False) in self.model.rows

    @rule()
    def select(self) -> None:
        found = self.book.select(self.wall)
        good = [row.known for row in self.model.rows if row.known.is_due(self.wall) and not row.known.is_hopeless]
        assert found in good if found is not None else not good or len(good) < len(self.model.rows)

    @rule(seconds=st.sampled_from([1, 600, 5000, 86400, 20 * 86400, -3600]))
    def wait(self, seconds: int) -> None:
        self.wall += seconds

    @rule()
    def restart(self) -> None:
        """What was written comes back in the same places; challenges and the last failure's time do not matter."""
        data = encode(self.book, [])
        again, _ = decode(data, Random(1), self.wall)
        assert _rows(again) == _rows(self.book)
        assert encode(again, []) == data

    @invariant()
    def same(self) -> None:
        if not hasattr(self, "book"):
            return
        assert _rows(self.book) == {row.known.endpoint: (row.known, row.tried) for row in self.model.rows}
        for tried in (False, True):
            buckets = {self.model.where(row.known, tried)[0] for row in self.model.rows if row.tried == tried}
            assert self.book.buckets(tried=tried) == len(buckets)
        assert len(self.book) <= TINY.size * (TINY.new + TINY.tried)


def _rows(book: AddressBook) -> dict[Endpoint, tuple[Known, bool]]:
    return {known.endpoint: (known, tried) for known, tried in book.all()}


TestBook = BookMachine.TestCase
TestBook.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
