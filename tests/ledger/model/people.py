"""Who acts in the machine's world, and the operations they make: right, nearly right and replayed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from meshchain.ledger.entry import Record
from meshchain.ledger.operations import Operation, Renew
from tests.ledger.kit import Node, Owner
from tests.ledger.model.rules import CLAIMS, Entry, State, opid

NAMES = ["a", "bob", "carol-2"]
OWNERS = [1, 2, 3]
NODES = [1, 2]
ADDRESSES = [CLAIMS + bytes(5) + b"\1", CLAIMS + bytes(5) + b"\2"]
SEQ_STEPS = [1, 1, 1, 2, 10, 0, 11]


@dataclass(frozen=True)
class Draw:
    """Whoever chooses: Hypothesis, or a seeded generator."""

    number: Callable[[int, int], int]
    """An integer from low to high."""

    def one(self, choices: list[Any]) -> Any:  # noqa: ANN401
        return choices[self.number(0, len(choices) - 1)]

    def rarely(self) -> bool:
        return self.number(0, 9) == 9


@cache
def host(genesis: bytes, number: int, owner: bytes, name: str, label: str, ip6: bytes | None) -> Record:
    return Node(number).host(genesis, owner, name, label=label, ip6=ip6)


Registration = tuple[Owner, str, int]
"""Owner, name, born."""


class People:
    """Makes operations for one network. ``registrations`` and ``signed`` remember what was made before."""

    def __init__(self, genesis: bytes) -> None:
        self.genesis = genesis
        self.owners = {Owner(number, genesis).key: Owner(number, genesis) for number in OWNERS}
        self.registrations: list[Registration] = []
        self.signed: list[Operation] = []

    def operation(self, draw: Draw, state: State, height: int) -> Operation:
        """An operation for a block at ``height`` on ``state``; mostly valid."""
        kinds = ["commit"]
        if self.registrations:
            kinds += ["reveal"] * (4 if self.open_registrations(state) else 1)
        if state.names:
            kinds += ["update", "update", "transfer", "renew", "renew", draw.one(["revoke", "update"])]
        if self.signed:
            kinds += ["replay", "replay"]
        kind = draw.one(kinds)
        if kind == "replay":
            return self.one_signed(draw)
        made: Operation = getattr(self, kind)(draw, state, height)
        self.signed.append(made)
        return made

    def one_signed(self, draw: Draw) -> Operation:
        return self.signed[draw.number(0, len(self.signed) - 1)]

    def commit(self, draw: Draw, state: State, height: int) -> Operation:
        owner = self.owners[draw.one(list(self.owners))]
        free = [name for name in NAMES if name not in state.names]
        name = draw.one(free or NAMES)
        born = max(0, height - draw.one([0, 3, 6, 18, 19, -1] if draw.rarely() else [0, 3, 6]))
        self.registrations.append((owner, name, born))
        return owner.commit(name, born)

    def reveal(self, draw: Draw, state: State, height: int) -> Operation:
        likely = [] if draw.rarely() else self.open_registrations(state)
        registration: Registration = draw.one(likely or self.registrations)
        owner, name, born = registration
        return owner.reveal(name, self.record(draw, owner, name), born)

    def open_registrations(self, state: State) -> list[Registration]:
        """Those whose commitment waits for its reveal; the name may be taken meanwhile."""
        return [
            (owner, name, born)
            for owner, name, born in self.registrations
            if state.commitments.get(owner.commitment(name, born), (0, True))[1] is False
        ]

    def record(self, draw: Draw, owner: Owner, name: str) -> Record:
        shape = draw.one(["empty", "text", "plain", "claim", "claim", "claim", "claim", "two"])
        if shape == "empty":
            return {}
        if shape == "text":
            return {"x": draw.number(0, 2)}
        signer = self.owners[draw.one(list(self.owners))] if draw.rarely() else owner
        claim = draw.one(ADDRESSES) if shape == "claim" else None
        hosts = [host(self.genesis, draw.one(NODES), signer.key, name, "", claim)]
        if shape == "two":
            hosts.append(host(self.genesis, draw.one(NODES), signer.key, name, "www", None))
        return {"hosts": list(hosts)}

    def target(self, draw: Draw, state: State) -> tuple[Owner, str, Entry]:
        """A name in the state and who owns it, or rarely somebody else."""
        name = draw.one(sorted(state.names))
        entry = state.names[name]
        key = draw.one(list(self.owners)) if draw.rarely() else entry["owner"]
        return self.owners[key], name, entry

    def update(self, draw: Draw, state: State, height: int) -> Operation:
        owner, name, entry = self.target(draw, state)
        return owner.update(name, entry["reg"], entry["seq"] + draw.one(SEQ_STEPS), self.record(draw, owner, name))

    def transfer(self, draw: Draw, state: State, height: int) -> Operation:
        owner, name, entry = self.target(draw, state)
        new = bytes(33) if draw.rarely() else draw.one(list(self.owners))
        return owner.transfer(name, entry["reg"], entry["seq"] + draw.one(SEQ_STEPS), new)

    def revoke(self, draw: Draw, state: State, height: int) -> Operation:
        owner, name, entry = self.target(draw, state)
        return owner.revoke(name, entry["reg"], entry["seq"] + draw.one(SEQ_STEPS))

    def renew(self, draw: Draw, state: State, height: int) -> Operation:
        owner, name, entry = self.target(draw, state)
        expires = entry["expires"] + (1 if draw.rarely() else 0)
        if draw.one([True, False]):
            return owner.renew(name, entry["reg"], expires)
        draft = Renew(name=name, reg=entry["reg"], expires=expires)
        return replace(draft, signature=Node(draw.one(NODES)).sign(opid(self.genesis, draft)))
