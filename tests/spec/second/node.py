"""Chapters 13 and 17: connecting blocks, choosing a branch. Keeps everything, forgets nothing."""

from tests.spec.second import rules
from tests.spec.second.headers import Head, Parameters, check_header, genesis, work
from tests.spec.second.rules import State
from tests.spec.second.values import InvalidError, decode, need, state_root, tagged


class Node:
    """All headers and bodies by block id, and the state after every block that proved valid."""

    def __init__(self, parameters: Parameters) -> None:
        self.p = parameters
        first = genesis(parameters)
        self.genesis = first.id
        self.heads = {first.id: first}
        self.bodies = {first.id: b"\x80"}
        self.states = {first.id: State()}
        self.invalid: set[bytes] = set()

    @property
    def tip(self) -> Head:
        return self.heads[max(self.states, key=lambda block: (self.work(block), -int.from_bytes(block, "big")))]

    def chain(self, block: bytes) -> list[Head]:
        """Genesis first, ``block`` last."""
        chain = [self.heads[block]]
        while chain[-1].height:
            chain.append(self.heads[chain[-1].previous])
        return chain[::-1]

    def work(self, block: bytes) -> int:
        return sum(work(head.bits) for head in self.chain(block)[1:])

    def take_header(self, data: bytes) -> Head:
        head = Head(data)
        if head.id not in self.heads:
            need(head.previous in self.heads and head.previous not in self.invalid)
            check_header(self.p, self.chain(head.previous), head)
            self.heads[head.id] = head
        return head

    def take_block(self, data: bytes) -> None:
        """InvalidError if the block is, or if its body is not its own."""
        head = self.take_header(data[:124])
        need(len(data) <= self.p["max_block_size"] and head.id not in self.invalid)
        items = decode(data[124:])
        need(isinstance(items, list) and all(isinstance(item, bytes) for item in items))
        wids = [tagged("wop", item) for item in items]
        need(tagged("ops", len(wids).to_bytes(4, "big"), *wids) == head.operations_root)
        self.bodies[head.id] = data[124:]
        self._connect_all()
        need(head.id not in self.invalid)

    def _connect_all(self) -> None:
        """Connect whatever has its body and a connected parent, until nothing is left."""
        while ready := [b for b in self.bodies if self._is_ready(b)]:
            for block in ready:
                try:
                    self.states[block] = self._connected(self.heads[block])
                except InvalidError:
                    self.invalid.add(block)

    def _is_ready(self, block: bytes) -> bool:
        return block not in self.states and block not in self.invalid and self.heads[block].previous in self.states

    def _connected(self, head: Head) -> State:
        state = self.states[head.previous].copy()
        ids = {ancestor.height: ancestor.id for ancestor in self.chain(head.previous)}
        rules.begin(self.p, state, head.height)
        seen = set()
        for item in decode(self.bodies[head.id]):
            op = rules.parse(self.p, item)
            opid = rules.apply(self.p, state, op, head.height, self.genesis)
            need(opid not in seen)
            seen.add(opid)
            rules.check_stamp(self.p, op, head.height, ids)
        need(state_root(state.entries) == head.state_root)
        return state
