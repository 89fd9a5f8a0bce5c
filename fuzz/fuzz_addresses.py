"""Feed bytes to the readers of the stored address book and of stored bans: StoreError "damaged", or what was stored.

    python fuzz/fuzz_addresses.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

Mutated whole files nearly always end in the codec, so half the inputs choose fields of well-formed rows instead. What
is read is used, too: drawn from, told to others, changed, and written again.
"""

import sys
from random import Random

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.ledger import codec
    from meshchain.ledger.errors import StoreError
    from meshchain.p2p.addresses import AddressBook, decode, encode
    from meshchain.p2p.conduct import Scores

WALL = 1_800_000_000
WRONG = [None, True, 2**64 - 1, b"", bytes(300), "text", [], {}]


def field(data: atheris.FuzzedDataProvider, good: codec.Value) -> codec.Value:
    """Mostly ``good``; else something that may not be."""
    return data.PickValueInList(WRONG) if data.ConsumeIntInRange(0, 30) == 0 else good


def number(data: atheris.FuzzedDataProvider) -> int:
    return data.PickValueInList([0, 1, 3, 1000, WALL - 86400 * 40, WALL, WALL + 10**9, 2**53, 2**64 - 1])


def book_row(data: atheris.FuzzedDataProvider) -> codec.Value:
    ip = data.PickValueInList([bytes(10) + b"\xff\xff", b"\x20\x01" + bytes(10), b"\xee\xee" + bytes(10)])
    row: list[codec.Value] = [
        ip + data.ConsumeBytes(4).ljust(4, b"\0"),
        data.ConsumeIntInRange(1, 65535),
        data.ConsumeBytes(4),
        data.PickValueInList([None, bytes(32)]),
        *(number(data) for _ in range(4)),
        data.ConsumeBool(),
    ]
    return field(data, [field(data, value) for value in row])


def stored_book(data: atheris.FuzzedDataProvider) -> bytes:
    rows = [book_row(data) for _ in range(data.ConsumeIntInRange(0, 12))]
    anchors = [field(data, [bytes(16), 7]) for _ in range(data.ConsumeIntInRange(0, 3))]
    return codec.encode([field(data, 1), field(data, bytes(32)), field(data, rows), field(data, anchors)])


def stored_bans(data: atheris.FuzzedDataProvider) -> bytes:
    who = data.PickValueInList([bytes(16), bytes(32), b"\xff" * 32])
    rows = [
        field(data, [field(data, who), field(data, number(data)), field(data, data.ConsumeUnicodeNoSurrogates(9))])
        for _ in range(data.ConsumeIntInRange(0, 6))
    ]
    return codec.encode(rows)


def use(book: AddressBook) -> None:
    """Nothing that was read keeps the book from working."""
    for known, _ in book.all()[:20]:
        book.attempted(known.endpoint, WALL)
        book.answered(known.endpoint, WALL, bytes(32))
    book.select(WALL)
    book.to_test(WALL)
    book.sample(10, WALL)
    decode(encode(book, []), Random(1), WALL)


def read_book(raw: bytes) -> None:
    try:
        book, anchors = decode(raw, Random(1), WALL)
    except StoreError as error:
        if error.code != "damaged":
            raise
        return
    again, same = decode(encode(book, anchors), Random(1), WALL)
    if again.all() != book.all() or same != anchors:
        raise AssertionError(f"the book {raw.hex()} is read, written and read otherwise")
    use(book)


def read_bans(raw: bytes) -> None:
    try:
        scores = Scores.decode(raw)
    except StoreError as error:
        if error.code != "damaged":
            raise
        return
    if Scores.decode(scores.encode()).bans != scores.bans:
        raise AssertionError(f"the bans {raw.hex()} are read, written and read otherwise")
    scores.standing(WALL)


def one_input(raw: bytes) -> None:
    data = atheris.FuzzedDataProvider(raw)
    whole, bans = data.ConsumeBool(), data.ConsumeBool()
    if bans:
        read_bans(data.ConsumeBytes(data.remaining_bytes()) if whole else stored_bans(data))
    else:
        read_book(data.ConsumeBytes(data.remaining_bytes()) if whole else stored_book(data))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
