"""The store on disk: LevelDB, one synced batch a block.

LevelDB refuses all writes after one has failed (its log may end in the middle of a record), so a failed write
here closes the database and the next use opens it anew: recovery drops the torn batch, and a node goes on
by itself once the disk has room again.

Readers in other threads work outside the interpreter's lock meanwhile, and a database that is closed under them takes
the process with it: closing waits until nobody is inside (``gate``).
"""

import threading
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Final

import plyvel

from meshchain.ledger.errors import StoreError
from meshchain.ledger.store import layout
from meshchain.ledger.store.gate import Gate

_CACHE: Final = 32 << 20
_WRITE_BUFFER: Final = 8 << 20
_OPEN_FILES: Final = 140
"""LevelDB maps open tables of 2 MB into memory, up to 1,000 of them: a large ledger read at random would count as
resident as a whole. Of these, 10 are kept for other uses; 130 tables hold the state tree of 10^6 names, so that a proof
does not open the same tables again and again (0.1 ms each)."""
_PORTION: Final = 64
"""Rows read from a range at a time, after smaller portions at its beginning: most readers want one or two."""
_BLOOM_BITS: Final = 10
"""Bits a key for filters: about 1 % false positives, the usual choice; absent names are common look-ups."""
_CONTENT: Final = frozenset((".log", ".ldb", ".sst"))
"""Suffixes of the numbered files that hold rows."""


class LevelReader:
    """Reads from a database or a snapshot of one.

    Checksums are verified on every read (LevelDB leaves them out unless asked, whatever paranoid_checks says): a
    flipped bit must end as StoreError, not as a block that this node alone holds invalid.
    """

    def __init__(self, source: "plyvel.DB", gate: Gate) -> None:
        self._source = source
        self._gate = gate

    def get(self, key: bytes) -> bytes | None:
        with _Translated("read"), self._gate:
            value: bytes | None = self._source.get(key, verify_checksums=True)
        return value

    def items(
        self, prefix: bytes, start: bytes = b"", end: bytes = b"", *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        low, top = prefix + start, layout.range_end(prefix, end)
        with _Translated("read"), self._cursor() as cursor:
            rows = _down(cursor, low, top) if reverse else _up(cursor, low, top)
            portion = 1
            while portion:
                with self._gate:  # never across a yield: nobody knows when the reader goes on
                    read = list(islice(rows, portion))
                yield from read
                portion = min(2 * portion, _PORTION) if len(read) == portion else 0

    def _cursor(self) -> "plyvel.RawIterator":
        with self._gate:
            return self._source.raw_iterator(verify_checksums=True)


def _up(cursor: "plyvel.RawIterator", low: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Rows with low ≤ key < end (b"": no end). Raw iterators, because ``valid`` also asks for the status: plyvel's
    ordinary ones take a damaged last block for the end of the range."""
    cursor.seek(low)
    while cursor.valid():
        row: tuple[bytes, bytes] = cursor.item()
        if end and row[0] >= end:
            return
        yield row
        cursor.next()


def _down(cursor: "plyvel.RawIterator", low: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
    if end:
        cursor.seek(end)
    if end and cursor.valid():
        cursor.prev()
    else:
        cursor.seek_to_last()
    while cursor.valid():
        row: tuple[bytes, bytes] = cursor.item()
        if row[0] < low:
            return
        yield row
        cursor.prev()


class LevelStore:
    """A Store in the folder ``path``. Raises StoreError: in-use, damaged, disk-full, io; closed after ``close``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closed = False
        self.epoch = 0
        self._gate = Gate()
        self._opening = threading.Lock()
        self._db: plyvel.DB | None = self._open()

    def _open(self) -> "plyvel.DB":
        with _Translated(f"open {self._path}"):
            self._check_current()
            return plyvel.DB(
                str(self._path),
                create_if_missing=True,
                paranoid_checks=True,
                lru_cache_size=_CACHE,
                write_buffer_size=_WRITE_BUFFER,
                max_open_files=_OPEN_FILES,
                bloom_filter_bits=_BLOOM_BITS,
            )

    def _check_current(self) -> None:
        """Without CURRENT LevelDB would begin an empty database and delete the tables of the old one. (A crash while
        a database is made leaves neither logs nor tables.)"""
        if (self._path / "CURRENT").exists():
            return
        if any(file.suffix in _CONTENT for file in self._path.glob("[0-9]*")):
            raise StoreError("damaged", f"cannot open {self._path}: the database is damaged: CURRENT is missing")

    @property
    def _reader(self) -> LevelReader:
        return LevelReader(self._database(), self._gate)

    def _database(self) -> "plyvel.DB":
        with self._opening:
            if self._closed:
                raise StoreError("closed", "the store is closed")
            if self._db is None:
                self._db = self._open()
            return self._db

    def get(self, key: bytes) -> bytes | None:
        return self._reader.get(key)

    def items(
        self, prefix: bytes, start: bytes = b"", end: bytes = b"", *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        return self._reader.items(prefix, start, end, reverse=reverse)

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool = True) -> None:
        try:
            database = self._database()
            with _Translated("write"), self._gate, database.write_batch(transaction=True, sync=sync) as batch:
                for key, value in changes.items():
                    if value is None:
                        batch.delete(key)
                    else:
                        batch.put(key, value)
        except StoreError:
            self._let_go()
            raise

    def snapshot(self) -> LevelReader:
        database = self._database()
        with _Translated("snapshot"), self._gate:
            return LevelReader(database.snapshot(), self._gate)

    def compact(self) -> None:
        """Merge all tables: for measuring the size that the data needs."""
        database = self._database()
        with _Translated("compact"), self._gate:
            database.compact_range()

    def close(self) -> None:
        """Release the folder; every later use is StoreError "closed"."""
        self._closed = True
        self._let_go()

    def _let_go(self) -> None:
        with self._opening, self._gate.alone():
            if self._db is not None:
                self._db.close()
                self._db = None
                self.epoch += 1


class _Translated:
    """Turns what the library raises into a StoreError with the code that tells an operator what to do.

    A class, since a generator would cost as much as the read that it guards.
    """

    __slots__ = ("_action",)

    def __init__(self, action: str) -> None:
        self._action = action

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        code = None if error is None else _code(error)
        if error is not None and code is not None:
            damage = "the database is damaged: " if isinstance(error, plyvel.CorruptionError) else ""
            raise StoreError(code, f"cannot {self._action}: {damage}{_text(error)}") from error


def _code(error: BaseException) -> str | None:
    """None for what is not the library's."""
    if isinstance(error, (plyvel.IOError, OSError)):
        return _io_code(_text(error))
    if isinstance(error, plyvel.Error):
        return "damaged"
    return "closed" if isinstance(error, RuntimeError) else None  # plyvel's answer to any use after close()


def _text(error: BaseException) -> str:
    raw = error.args[0] if error.args else ""
    return raw.decode(errors="replace") if isinstance(raw, bytes) else str(error)


def _io_code(message: str) -> str:
    if "No space left" in message or "Disk quota exceeded" in message:
        return "disk-full"
    return "in-use" if message.startswith("IO error: lock ") else "io"
