"""Block download: bodies for the headers that rank above our tip, from several peers at once.

Theory of operation
-------------------
*What to fetch.* Every peer is followed to its own head (``heads``), if that ranks above our tip and misses bodies, not
to the best header of all: a branch whose bodies nobody gives would otherwise keep us from the best one that
can be had. Peers on one branch share a path (``path``), and a block that lies on several is fetched once.

*Who fetches what.* Each peer has up to 16 blocks in flight; when half of them are in, it is given the lowest blocks
of its path that nobody was asked for, up to 1,024 above the first missing one. A body goes to the ledger when it
arrives, in whatever order: the ledger stores it, and connects it once its ancestors are there. No more than 256
blocks, nor more than 8 MiB of the greatest, are in flight or waiting for the ledger. ::

    wanted --GetBlocks--> in flight --block--> at the ledger --> stored
      ^                      |                    |
      +---- again <----------+--------------------+   not found, skipped, overdue; wrong body; local fault

*Blocks come in the order they were asked for*; a peer that sends a later one, or says not-found, lacks the earlier one.
It is asked again after ``LACK_REST``, longer each time, and closed at the third: it showed a branch that it
does not have.

*Stalls.* A peer that sends nothing for ``HURRY`` while another with nothing to do could send the block, or for
``PATIENCE``, loses its requests to others; what comes late is taken if it is still wanted. After ``SILENCE`` it is
closed. Where the window is full and others wait for one peer's block, that peer has 2 s and is then closed; each such
end doubles the time, up to 64 s, so that a line on which everybody is slow does not lose all its peers, and connected
blocks bring it down again (Bitcoin Core's rule and numbers). From 5 s on, ``HURRY`` comes first: then the block is
fetched elsewhere and nobody is closed for it.

*Blame.* A body that is not the header's, or no body at all: 100 points, and the header is as good as before; others are
asked. A body that belongs to the header and breaks a rule: 100 points, for honest nodes pass on only what they have
connected; where the ledger stored it before it could be tried, its sender is remembered until it is. The ledger
marks the branch, and peers whose head lies on it are followed no further. Blocks that nobody asked for are
dropped, but for one on top of our tip. A full disk is nobody's fault: after ``LOCAL_REST`` the block is fetched
again.
"""

import random
from typing import Final

from meshchain.ledger.chain.index import Flag, IndexEntry
from meshchain.ledger.errors import CodecError, HeldError, LocalError, RemoteError
from meshchain.ledger.header import Header
from meshchain.ledger.params import Params
from meshchain.p2p.actions import Action, Blame, Close, ConnectBlock, Do, Outcome, Peer, Send
from meshchain.p2p.blocksync.path import BranchPath
from meshchain.p2p.blocksync.peers import Flight, PeerBlocks
from meshchain.p2p.facts import Facts
from meshchain.p2p.headersync.heads import Heads
from meshchain.p2p.messages import MAX_BLOCKS, GetBlocks

WINDOW: Final = 1024
MOST_AT_ONCE: Final = 256
MOST_BYTES: Final = 8 << 20
"""Of the greatest blocks in flight and waiting for the ledger; networks with larger blocks get fewer at once."""
REFILL: Final = MAX_BLOCKS // 2
HURRY: Final = 5.0
PATIENCE: Final = 30.0
SILENCE: Final = 60.0
LACK_REST: Final = 5.0
MOST_LACKS: Final = 3
LOCAL_REST: Final = 5.0
ELSEWHERE: Final = 3.0
"""How long a block is left to whoever puts it together from a compact one."""
MOST_ELSEWHERE: Final = 16
MOST_SENDERS: Final = 2 * WINDOW
LEAST_STALL: Final = 2.0
MOST_STALL: Final = 64.0
_STALL_DECAY: Final = 0.85
_NO_BLAME: Final = ("block-failed", "unknown-parent")


class BlockSync:
    """``heads``: HeaderSync's, which says what each peer has."""

    def __init__(self, params: Params, facts: Facts, rng: random.Random, heads: Heads) -> None:
        self._most = max(MAX_BLOCKS, min(MOST_AT_ONCE, MOST_BYTES // params.consensus.max_block_size))
        self._least_work = params.policy.minimum_chain_work
        self._facts = facts
        self._rng = rng
        self._heads = heads
        self._peers: dict[Peer, PeerBlocks] = {}
        self._paths: list[BranchPath] = []
        self._flights: dict[bytes, Peer] = {}
        self._connecting: dict[bytes, Peer] = {}
        self._elsewhere: dict[bytes, float] = {}
        self._senders: dict[bytes, Peer] = {}
        """Of the latest bodies that the ledger has taken: one that it stored may prove invalid later."""
        self._rest_until = 0.0
        self._stall_time = LEAST_STALL

    @property
    def in_flight(self) -> int:
        return len(self._flights)

    @property
    def at_ledger(self) -> int:
        return len(self._connecting)

    # --- events ------------------------------------------------------------------------------------------

    def peer_ready(self, peer: Peer, now: float) -> list[Action]:
        self._peers[peer] = PeerBlocks(peer)
        return self._go_on(now)

    def peer_gone(self, peer: Peer, now: float) -> list[Action]:
        self._forget(peer)
        return self._go_on(now)

    def best_header_changed(self, now: float) -> list[Action]:
        """Headers were taken or a peer's head moved."""
        return self._go_on(now)

    def block(self, peer: Peer, raw: bytes, now: float) -> list[Action]:
        """A BlockMessage; ``raw`` has at least a header's size (messages sees to it)."""
        state = self._peers.get(peer)
        if state is None:
            return []
        try:
            header = Header.decode(raw[: Header.SIZE])
        except CodecError as error:
            return [Blame(peer, 100, f"{error.code}: {error.message}")]
        actions = self._arrived(state, header.id, now)
        if self._wants(header):
            actions.append(self._hand_over(peer, header.id, raw))
        return actions + self._go_on(now)

    def not_found(self, peer: Peer, ids: tuple[bytes, ...], now: float) -> list[Action]:
        state = self._peers.get(peer)
        if state is None:
            return []
        actions: list[Action] = []
        for block_id in ids:
            actions += self._lacks(state, block_id, now)
        return actions + self._go_on(now)

    def elsewhere(self, block_id: bytes, now: float) -> None:
        """This block is being put together from a compact one: leave it alone for ``ELSEWHERE`` seconds."""
        self._elsewhere[block_id] = now + ELSEWHERE
        if len(self._elsewhere) > MOST_ELSEWHERE:
            del self._elsewhere[next(iter(self._elsewhere))]

    def connected(self, task: ConnectBlock, outcome: Outcome, now: float) -> list[Action]:
        """A task is done. Tasks of others may be shown too: they say that the tip may have moved, no more."""
        if self._connecting.pop(task.block_id, None) is None:
            return self._go_on(now)
        actions: list[Action] = []
        if outcome.error is not None:
            actions += self._refused(task, outcome.error, now)
        else:
            self._stall_time = max(LEAST_STALL, _STALL_DECAY * self._stall_time)
            self._remember(task)
        return actions + self._go_on(now)

    def tick(self, now: float) -> list[Action]:
        self._elsewhere = {block_id: until for block_id, until in self._elsewhere.items() if until > now}
        actions: list[Action] = []
        for state in list(self._peers.values()):
            actions += self._watch(state, now)
        return actions + self._go_on(now)

    # --- arrivals ----------------------------------------------------------------------------------------

    def _arrived(self, state: PeerBlocks, block_id: bytes, now: float) -> list[Action]:
        """Settle what the peer owes: this block, and the earlier ones, which it has passed over."""
        owed = [*state.overdue, *state.flights]
        if block_id not in owed:
            return []
        state.heard, state.stalling = now, None
        state.overdue.pop(block_id, None)
        state.lacks.pop(block_id, None)
        if state.flights.pop(block_id, None) is not None:
            self._flights.pop(block_id, None)
        actions: list[Action] = []
        for skipped in owed[: owed.index(block_id)]:
            actions += self._lacks(state, skipped, now)
        return actions

    def _wants(self, header: Header) -> bool:
        """Whether the block may go to the ledger: it misses it, and somebody was asked for it or it is next."""
        if header.id in self._connecting or len(self._connecting) >= self._most:
            return False
        entry = self._facts.header(header.id)
        if entry is None or not entry.flags & (Flag.BODY | Flag.FAILED):
            return self._is_next(header) or (entry is not None and self._was_asked(entry))
        return False

    def _is_next(self, header: Header) -> bool:
        """Worth taking unasked: it goes on from a tip that has the work of a network."""
        tip = self._facts.tip()
        return header.previous == tip.id and tip.work >= self._least_work

    def _was_asked(self, entry: IndexEntry) -> bool:
        return any(path.holds(entry) and entry.height < path.cursor for path in self._paths)

    def _hand_over(self, peer: Peer, block_id: bytes, raw: bytes) -> Action:
        other = self._flights.pop(block_id, None)
        if other is not None and (state := self._peers.get(other)) is not None:
            state.overdue[block_id] = state.flights.pop(block_id)  # what it sends now comes too late
        self._connecting[block_id] = peer
        return Do(ConnectBlock(peer, block_id, raw))

    def _lacks(self, state: PeerBlocks, block_id: bytes, now: float) -> list[Action]:
        state.overdue.pop(block_id, None)
        flight = state.flights.pop(block_id, None)
        if flight is None:
            return []
        self._flights.pop(block_id, None)
        self._again(block_id)
        if state.lacking(block_id, now, LACK_REST) < MOST_LACKS:
            return []
        return self._give_up(state, "block-withheld", "a block of its own branch was not to be had", blame=20)

    def _refused(self, task: ConnectBlock, error: RemoteError | LocalError, now: float) -> list[Action]:
        self._again(task.block_id)
        if isinstance(error, LocalError):
            self._rest_until = now + LOCAL_REST
            return []
        if isinstance(error, HeldError) or error.code in _NO_BLAME:
            return []
        state = self._peers.get(task.peer)
        if state is not None:
            state.lacking(task.block_id, now, SILENCE)
        return [Blame(task.peer, 100, f"{error.code}: {error.message}")]

    def _remember(self, task: ConnectBlock) -> None:
        self._senders[task.block_id] = task.peer
        if len(self._senders) > MOST_SENDERS:
            del self._senders[next(iter(self._senders))]

    def _convict(self, head: IndexEntry) -> list[Action]:
        """A peer's head proved invalid: blame whoever sent the first bad block under it, which was stored untried."""
        culprit = head
        for entry in self._facts.ancestors(head):
            if not entry.flags & Flag.FAILED:
                break
            culprit = entry
        sender = self._senders.pop(culprit.id, None)
        if sender not in self._peers or sender is None:
            return []
        return [Blame(sender, 100, f"invalid-block: block {culprit.id.hex()} breaks a rule")]

    def _again(self, block_id: bytes) -> None:
        entry = self._facts.header(block_id)
        if entry is not None and not entry.flags & (Flag.BODY | Flag.FAILED):
            for path in self._paths:
                path.again(entry.height, block_id)

    # --- asking ------------------------------------------------------------------------------------------

    def _go_on(self, now: float) -> list[Action]:
        actions = [action for state in list(self._peers.values()) for action in self._follow(state)]
        used = {id(state.path) for state in self._peers.values()}
        self._paths = [path for path in self._paths if id(path) in used]
        for path in self._paths:
            path.advance()
        if now >= self._rest_until:
            actions += self._fill_all(now)
        return actions

    def _fill_all(self, now: float) -> list[Action]:
        """In random order, so that nobody gets the first block of every window by having come first."""
        ready = [state for state in self._peers.values() if state.has_room(REFILL)]
        if len(ready) > 1:
            self._rng.shuffle(ready)
        return [action for state in ready for action in self._fill(state, now)]

    def _follow(self, state: PeerBlocks) -> list[Action]:
        """Find the path to the peer's head, if there is anything to be had on it."""
        head = self._heads.get(state.peer)
        fresh = None if head is None else self._facts.header(head.id)
        if fresh is None or fresh.flags & (Flag.CHAINED | Flag.FAILED) or fresh.rank <= self._facts.tip().rank:
            lost, state.path, state.head = state.path is not None, None, None
            return self._convict(fresh) if lost and fresh is not None and fresh.flags & Flag.FAILED else []
        if state.head != fresh.id:
            state.path, state.head, state.top = self._path_to(fresh), fresh.id, fresh.height
        return []

    def _path_to(self, head: IndexEntry) -> BranchPath:
        for path in self._paths:
            if path.holds(head):
                return path
        for path in self._paths:
            if path.extend(head):
                return path
        self._paths.append(BranchPath(self._facts, head))
        return self._paths[-1]

    def _fill(self, state: PeerBlocks, now: float) -> list[Action]:
        """Give a peer more to do when half of what it had is done."""
        path = state.path
        if path is None:
            return []
        room = self._most - len(self._flights) - len(self._connecting)
        heights = self._choose(state, path, min(room, MAX_BLOCKS - len(state.flights)), now)
        if not heights:
            self._notice_stall(state, path, now)
            return []
        ids = tuple(path.id_at(height) for height in heights)
        for height, block_id in zip(heights, ids, strict=True):
            state.flights[block_id] = Flight(height, now)
            self._flights[block_id] = state.peer
        return [Send(state.peer, GetBlocks(ids))]

    def _choose(self, state: PeerBlocks, path: BranchPath, count: int, now: float) -> list[int]:
        """The lowest heights that this peer can serve and that nobody is asked for."""
        chosen: list[int] = []
        for height in path.redo:
            if len(chosen) < count and height <= state.top and self._is_open(state, path, height, now):
                chosen.append(height)
        path.redo = [height for height in path.redo if height not in chosen]
        end = min(path.first + WINDOW, state.top + 1)
        while len(chosen) < count and path.cursor < end:
            height = path.cursor
            path.cursor += 1
            if self._is_open(state, path, height, now):
                chosen.append(height)
            elif not path.has_body(height):
                path.again(height, path.id_at(height))
        return chosen

    def _is_open(self, state: PeerBlocks, path: BranchPath, height: int, now: float) -> bool:
        block_id = path.id_at(height)
        busy = block_id in self._flights or block_id in self._connecting or block_id in self._elsewhere
        return not busy and state.may_have(block_id, now) and not path.has_body(height)

    # --- time ----------------------------------------------------------------------------------------------

    def _notice_stall(self, waiting: PeerBlocks, path: BranchPath, now: float) -> None:
        """``waiting`` has nothing to do because the window is full: whoever owes its first block has 2 s."""
        if waiting.flights or path.cursor < path.first + WINDOW or path.first + WINDOW > waiting.top:
            return
        block_id = path.id_at(path.first)
        staller = self._peers.get(self._flights.get(block_id, waiting.peer))
        if staller is None or staller is waiting:
            return
        if staller.stalling is None or staller.stalling[0] != block_id:
            staller.stalling = block_id, now

    def _watch(self, state: PeerBlocks, now: float) -> list[Action]:
        waited = state.waited(now)
        if self._is_stalling(state, now):
            self._stall_time = min(MOST_STALL, 2 * self._stall_time)
            return self._give_up(state, "block-stalled", "all others waited for a block of this peer")
        if waited > SILENCE:
            return self._give_up(state, "block-timeout", f"no block within {SILENCE:.0f} s")
        if waited > PATIENCE or (waited > HURRY and self._others_can(state, now)):
            self._take_away(state)
        return []

    def _is_stalling(self, state: PeerBlocks, now: float) -> bool:
        if state.stalling is None or state.stalling[0] not in state.flights:
            state.stalling = None
            return False
        return now - state.stalling[1] > self._stall_time

    def _others_can(self, state: PeerBlocks, now: float) -> bool:
        """Whether a peer with nothing to do has the block at the head of this one's queue."""
        if not state.flights:
            return False
        block_id, flight = next(iter(state.flights.items()))
        return any(
            other.can_serve(flight.height, block_id) and other.may_have(block_id, now)
            for other in self._peers.values()
            if other is not state and not other.flights and not other.overdue
        )

    def _take_away(self, state: PeerBlocks) -> None:
        for block_id, flight in state.flights.items():
            self._flights.pop(block_id, None)
            state.overdue[block_id] = flight
        freed, state.flights = state.flights, {}
        for block_id in freed:
            self._again(block_id)

    def _give_up(self, state: PeerBlocks, code: str, reason: str, *, blame: int = 0) -> list[Action]:
        self._forget(state.peer)
        actions: list[Action] = [Blame(state.peer, blame, f"{code}: {reason}")] if blame else []
        return [*actions, Close(state.peer, code, reason)]

    def _forget(self, peer: Peer) -> None:
        state = self._peers.pop(peer, None)
        if state is not None:
            self._take_away(state)
