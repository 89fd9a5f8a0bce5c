"""What gossip remembers over restarts: addresses, anchors and bans, beside the ledger in its store."""

import random
from collections.abc import Callable, Iterable
from typing import Final

from meshchain.ledger.store import Reader, layout
from meshchain.p2p.actions import Endpoint
from meshchain.p2p.addresses import AddressBook, Snapshot, decode
from meshchain.p2p.conduct import Scores
from meshchain.p2p.facts import Facts
from meshchain.p2p.gossip import Gossip, Own
from meshchain.p2p.slots import Slots

SAVE_EVERY: Final = 300.0
"""Seconds between two savings; a node that stops in peace saves once more."""


def rows(gossip: Gossip) -> dict[bytes, bytes]:
    """What is to be written, by the store's key."""
    return rows_later(gossip)()


def rows_later(gossip: Gossip) -> Callable[[], dict[bytes, bytes]]:
    """The same as of now, to be called in another thread: a large book takes a third of a second to encode."""
    book, bans = Snapshot.of(gossip.book, gossip.slots.anchors()), gossip.scores.encode()
    return lambda: {layout.ADDRESSES: book.encode(), layout.BANS: bans}


def recalled(
    store: Reader,
    *,
    facts: Facts,
    own: Own,
    rng: random.Random,
    wall: Callable[[], float],
    configured: Iterable[Endpoint] = (),
) -> Gossip:
    """Gossip that knows what the last run has saved, if there was one; StoreError "damaged".

    Peers see numbers of ``rng``, and the secret that places addresses is one.
    """
    saved, bans = store.get(layout.ADDRESSES), store.get(layout.BANS)
    book, anchors = decode(saved, rng, wall()) if saved else (AddressBook(rng.randbytes(32), rng), [])
    return Gossip(
        facts=facts,
        own=own,
        rng=rng,
        wall=wall,
        book=book,
        slots=Slots(book, rng, own_key=own.key, configured=configured, anchors=anchors),
        scores=Scores.decode(bans) if bans else Scores(),
    )
