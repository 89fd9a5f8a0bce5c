"""A branch that is not worth storing yet: measure first, store after (after Bitcoin Core's headers presync, PR 25717).

Theory of operation
-------------------
A header costs whoever makes it the work its bits say, and bits may be low: from a fork far back, with times far
apart, they are the network's limit, about a second of one core. Whoever stores every valid header can have his disk
filled by a rented afternoon. So a branch is stored only if its work comes near that of our own chain, and to know
its work one has to see all of it. The branch is therefore fetched twice.

::

    MEASURE --claimed work is enough--> FETCH --every header of the first pass came again--> done
       |                                  |
       +-- too little: forgotten          +-- another header: RuleError "headers-changed"

*Measure.* Each header is judged as if it were to be stored, but for most of the hashing: link, height, time
against the median of 11, bits against the difficulty. All of this needs the last entry and eleven times. Of the
work, a sample is hashed: every header with probability 1/8, and those that carry much of what is claimed with a
higher one, so that about 64 of the work's equal shares are looked at: p = max(1/8, 64 · work / missing work). A flat
sample could be deceived at the end: difficulty doubles every 60 blocks that are made without waiting, so that a
few forged headers may claim more than thousands of honest ones before them. Whoever forges the share f of the
missing work passes with probability e^(−64·f): 0.2 % for a tenth. Which headers are drawn is decided after they
came. What is kept of a header is one bit, of a hash that is keyed with a secret.

*Fetch.* The same headers are asked for again and compared with the bits. A header is let through for storing
when 64 headers above it matched too, or when all did; other headers than those measured would have to guess 64 bits.
What is let through gets every check there is.

*Memory.* A bit a header, at most 2^22 (16 years of blocks): 512 KiB a peer, which only a sender of four million valid
headers gets to. In FETCH 64 headers more. The batch in hand (2,000 headers, about 1 MB decoded) is kept only
while its sample is hashed. ``size`` says how much it is.
"""

import hashlib
import random
from collections import deque
from collections.abc import Sequence
from enum import Enum
from itertools import islice
from typing import Final

from meshchain.ledger import chaintime
from meshchain.ledger.chain.index import IndexEntry, extend
from meshchain.ledger.errors import RuleError
from meshchain.ledger.header import Header
from meshchain.ledger.params import Consensus
from meshchain.p2p.facts import Facts

MOST_HEADERS: Final = 1 << 22
LOOKAHEAD: Final = 64
_FLAT_SAMPLE: Final = 1 / 8
_SHARES: Final = 64


class Phase(Enum):
    MEASURE = "measure"
    FETCH = "fetch"


class Presync:
    """One peer's branch from ``fork`` on, until it has ``needed`` work in all (hashes since genesis)."""

    def __init__(self, consensus: Consensus, facts: Facts, fork: IndexEntry, needed: int, rng: random.Random) -> None:
        self.fork = fork
        self.needed = needed
        self.last = fork
        """After the headers measured so far."""
        self.phase = Phase.MEASURE
        self.batch: Sequence[Header] = ()
        """Measured, its sample not hashed yet."""
        self.fetched = fork.id
        """In FETCH: the last header that came again."""
        self._consensus = consensus
        self._times = deque((e.header.time for e in islice(facts.ancestors(fork), chaintime.MEDIAN_SPAN)), maxlen=11)
        self._times.reverse()
        self._rng = rng
        self._key = rng.randbytes(16)
        self._bits = bytearray()
        self._count = 0
        self._matched = 0
        self._held: deque[Header] = deque()

    @property
    def enough(self) -> bool:
        return self.last.work >= self.needed

    @property
    def count(self) -> int:
        """Headers measured."""
        return self._count

    @property
    def size(self) -> int:
        """Bytes kept from one message to the next: bits, and 124 for every header held."""
        return len(self._bits) + Header.SIZE * len(self._held)

    # --- MEASURE -----------------------------------------------------------------------------------------

    def measure(self, headers: Sequence[Header]) -> list[Header]:
        """Take the next headers; returns those to be hashed. The caller has seen that each names the one before it.

        RuleError: presync-too-long, and the rules of ``chain.index.extend``.
        """
        if self._count + len(headers) > MOST_HEADERS:
            raise RuleError("presync-too-long", f"more than {MOST_HEADERS} headers without enough work")
        missing = max(1, self.needed - self.fork.work)
        sample = []
        for header in headers:
            work = self._step(header)
            if self._rng.random() < max(_FLAT_SAMPLE, _SHARES * work / missing):
                sample.append(header)
        self.batch = headers
        return sample

    def _step(self, header: Header) -> int:
        median = chaintime.median_time_past(tuple(self._times))
        entry = extend(self._consensus, self.last, median, header)
        work, self.last = entry.work - self.last.work, entry
        self._times.append(header.time)
        self._keep(self._bit(header))
        return work

    def _keep(self, bit: int) -> None:
        if self._count % 8 == 0:
            self._bits.append(0)
        self._bits[-1] |= bit << self._count % 8
        self._count += 1

    def _bit(self, header: Header) -> int:
        return hashlib.blake2b(header.id, digest_size=1, key=self._key).digest()[0] & 1

    # --- FETCH -------------------------------------------------------------------------------------------

    def begin_fetch(self) -> None:
        self.phase = Phase.FETCH
        self.batch = ()

    @property
    def done(self) -> bool:
        return self._matched >= self._count

    def fetch(self, headers: Sequence[Header]) -> list[Header]:
        """Compare with what was measured; returns the headers to be stored now. RuleError headers-changed."""
        for header in headers:
            self._match(header)
            self._held.append(header)
        behind = 0 if self.done else LOOKAHEAD
        return [self._held.popleft() for _ in range(max(0, len(self._held) - behind))]

    def _match(self, header: Header) -> None:
        at = self._matched
        known = at >= self._count or self._bits[at // 8] >> at % 8 & 1 == self._bit(header)
        if header.previous != self.fetched or not known:
            raise RuleError("headers-changed", "not the headers that were shown before", height=header.height)
        self.fetched = header.id
        self._matched += 1
