"""Regular expressions over names in linear time.

name_scan is open to every program on this machine, and Python's ``re`` backtracks: one pattern of ten characters
can occupy it for years. So this is Thompson's construction (Regular Expression Search Algorithm, CACM 11 (1968))
with states of the deterministic automaton made as names need them: one table look-up a character.

Syntax: letters, digits, '-', '.', classes like [a-f0-9] and [^a], ( ), |, and one of * + ? after any of these; ^ and $
are the ends of the name; a pattern matches anywhere between them. Anchors are moves on two characters that no name
has; they cost nothing where that end is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from meshchain.rpc.errors import RpcError, bad_value

MAX_PATTERN: Final = 100
"""Characters; a pattern nests no deeper than it is long, so the parser's recursion is bounded too."""

_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_BEGIN, _END = "\x02", "\x03"
_ENDS: Final = {"^": _BEGIN, "$": _END}
_MAX_TABLE: Final = 4096
"""Rows kept of the deterministic automaton, which can be exponential in the pattern."""

_States = frozenset[int]


@dataclass(slots=True)
class _State:
    """Moves to ``then`` on a character of ``chars``; on nothing where that is None."""

    chars: frozenset[str] | None = None
    then: list[int] = field(default_factory=list)


class NamePattern:
    """RpcError −5 "regexp" unless ``text`` is a pattern as described above."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_PATTERN:
            raise bad_value("regexp", f"a pattern has at most {MAX_PATTERN} characters")
        parser = _Parser(text)
        begin, self._accept = parser.alternatives()
        if parser.rest:
            raise parser.wrong("')' without '('")
        self._states = parser.states
        self._start = self._closed((begin,), frozenset())
        self._first = self._closed((begin,), frozenset(_BEGIN))
        self._table: dict[tuple[_States, str], _States] = {}

    def matches(self, name: str) -> bool:
        """Whether the pattern occurs in ``name``."""
        current = self._first
        for char in name:
            if self._accept in current:
                return True
            current = self._row(current, char)
        return self._accept in self._row(current, _END if name else _BEGIN + _END)

    def _row(self, current: _States, read: str) -> _States:
        """The states after a character, or at the end(s) of the name."""
        known = self._table.get((current, read))
        if known is None:
            if len(self._table) >= _MAX_TABLE:
                self._table.clear()
            known = self._table[current, read] = self._after(current, read)
        return known

    def _after(self, current: _States, read: str) -> _States:
        if read not in _LETTERS:
            return self._closed(current, frozenset(read))
        moved = [self._states[s].then[0] for s in current if read in (self._states[s].chars or ())]
        return self._closed(moved, frozenset()) | self._start

    def _closed(self, waiting: Iterable[int], here: frozenset[str]) -> _States:
        """The states reached without reading a character, where the ends in ``here`` are at hand."""
        reached: set[int] = set()
        stack = list(waiting)
        while stack:
            state = stack.pop()
            if state not in reached:
                reached.add(state)
                chars = self._states[state].chars
                stack += self._states[state].then if chars is None or chars & here else ()
        return frozenset(reached)


class _Parser:
    """Recursive descent; each method returns the first and last state of the part it read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.states: list[_State] = []

    @property
    def rest(self) -> str:
        return self.text[self.at :]

    def wrong(self, problem: str) -> RpcError:
        return bad_value("regexp", f"{self.text!r}, character {self.at + 1}: {problem}", position=self.at)

    def alternatives(self) -> tuple[int, int]:
        begin, end = self._new(), self._new()
        while True:
            first, last = self._sequence()
            self._link(begin, first)
            self._link(last, end)
            if not self._take("|"):
                return begin, end

    def _sequence(self) -> tuple[int, int]:
        begin = end = self._new()
        while self.rest and self.rest[0] not in "|)":
            first, last = self._repeated()
            self._link(end, first)
            end = last
        return begin, end

    def _repeated(self) -> tuple[int, int]:
        first, last = self._atom()
        begin, end = self._new(), self._new()
        self._link(begin, first)
        self._link(last, end)
        mark = self._take("*+?")
        if mark in ("*", "?"):
            self._link(begin, end)
        if mark in ("*", "+"):
            self._link(last, first)
        return begin, end

    def _atom(self) -> tuple[int, int]:
        if self._take("("):
            inner = self.alternatives()
            if not self._take(")"):
                raise self.wrong("'(' without ')'")
            return inner
        begin, end = self._new(), self._new()
        self.states[begin] = _State(self._characters(), [end])
        return begin, end

    def _characters(self) -> frozenset[str]:
        char = self.rest[0]
        self.at += 1
        if char == "[":
            return self._class()
        if char == ".":
            return _LETTERS
        if char in _ENDS:
            return frozenset(_ENDS[char])
        if char in _LETTERS:
            return frozenset(char)
        self.at -= 1
        raise self.wrong(f"{char!r} stands for nothing that names have")

    def _class(self) -> frozenset[str]:
        inside, bracket, _ = self.rest.partition("]")
        if not bracket or inside in ("", "^"):
            raise self.wrong("'[' without ']', or nothing between them")
        negated = inside.startswith("^")
        listed = _listed(inside[negated:])
        if not listed <= _LETTERS:
            raise self.wrong("a class holds a-z, 0-9 and '-'")
        self.at += len(inside) + 1
        return _LETTERS - listed if negated else listed

    def _take(self, chars: str) -> str:
        taken = self.rest[:1]
        if not taken or taken not in chars:
            return ""
        self.at += 1
        return taken

    def _new(self) -> int:
        self.states.append(_State())
        return len(self.states) - 1

    def _link(self, state: int, to: int) -> None:
        self.states[state].then.append(to)


def _listed(inside: str) -> frozenset[str]:
    """Members of a class: single characters and ranges; a '-' at an edge is itself."""
    found: set[str] = set()
    at = 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            found.update(map(chr, range(ord(inside[at]), min(ord(inside[at + 2]), 0x7F) + 1)))
            at += 3
        else:
            found.add(inside[at])
            at += 1
    return frozenset(found)
