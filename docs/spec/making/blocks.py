"""chain.json: blocks in the order in which a node receives them, and what it must hold after each."""

from collections.abc import Iterable, Sequence
from typing import Final

from docs.spec.making.network import NETWORK, Branch
from docs.spec.making.records import Machine, claimed
from docs.spec.making.refusals import Refusal, Refuser
from docs.spec.making.values import Document, Json
from meshchain.crypto import sign_ed25519
from meshchain.ledger import codec, operations
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Switch
from meshchain.ledger.entry import Record
from meshchain.ledger.header import Header
from meshchain.ledger.operations import Renew

_COMMITMENT: Final = b"c"
_REFUSALS: Final = "refused"


class Story:
    """The receiving node, and the branch that makes its blocks."""

    def __init__(self) -> None:
        self.node, self.branch = Branch(), Branch()
        self.steps: list[Document] = []

    def take(self, block: Block, note: str = "", *, headers: Sequence[Header] = ()) -> None:
        """The node receives headers, then a block."""
        self.node.chain.add_headers(headers, None)
        switch = self.node.add(block)
        self.steps.append({"headers": [header.encode().hex() for header in headers], **self._step(block, switch, note)})

    def mine(self, *listed: operations.Operation, note: str = "") -> None:
        """The branch makes a block of these operations, which it stamps; the node receives it."""
        self.take(self.branch.mine(*map(self.branch.stamp, listed)), note)

    def refuse(self, refusals: Iterable[Refusal]) -> None:
        """Note blocks that the node, as it stands, must refuse."""
        shown: list[Json] = [
            {"why": why, "code": code, "blocks": [block.encode().hex() for block in blocks]}
            for why, code, blocks in refusals
        ]
        known = self.steps[-1].setdefault(_REFUSALS, [])
        assert isinstance(known, list)
        known += shown

    def refuser(self) -> Refuser:
        return Refuser(self.branch)

    def _step(self, block: Block, switch: Switch, note: str) -> Document:
        chain = self.node.chain
        return {
            "note": note,
            "block": block.encode().hex(),
            "id": block.header.id.hex(),
            "opids": [operations.opid(operation, chain.genesis_id).hex() for operation in block.operations],
            "disconnected": [gone.header.id.hex() for gone in switch.disconnected],
            "connected": [new.header.id.hex() for new in switch.connected],
            **held(self.node),
        }


def held(node: Branch) -> Document:
    """What a node holds: tip, root, entries, commitments."""
    chain = node.chain
    return {
        "height": chain.tip.height,
        "tip": chain.tip.id.hex(),
        "work": chain.tip.work,
        "state_root": chain.tip.header.state_root.hex(),
        "entries": {name: entry.encode().hex() for name, entry in chain.state.names()},
        "commitments": {
            key[1:].hex(): {"height": int.from_bytes(value[:4], "big"), "used": value[4] == 1}
            for key, value in node.store.items(_COMMITMENT)
        },
    }


def document() -> Document:
    story = Story()
    reg_alice, reg_ab = _first_lives(story)
    _rivals(story)
    _tie(story)
    _running_out(story, reg_alice, reg_ab)
    return {
        "parameters": NETWORK["consensus"],
        "genesis_id": story.node.genesis.hex(),
        "genesis_header": story.node.chain.genesis.encode().hex(),
        "steps": story.steps,
        "undecodable": _undecodable(story),
    }


def _record(story: Story, number: int, owner: bytes, name: str, claim: int | None = None) -> Record:
    """A record with machine ``number`` as its primary host; ``claim``: the last part of eeee::claim."""
    machine, genesis = Machine(number), story.node.genesis
    asked: Record = {} if claim is None else {"ip6": claimed(claim)}
    return {"hosts": [machine.host(genesis=genesis, owner=owner, name=name) | asked]}


def _first_lives(story: Story) -> tuple[bytes, bytes]:
    """Heights 1 to 8."""
    ann, ben, cat = (story.branch.person(word) for word in ("ann", "ben", "cat"))
    commits = ann.commit("alice"), ben.commit("alice"), ben.commit("ab"), ann.commit("erin", born=2)
    story.mine(*commits, note="commits; two owners want alice")
    story.mine(ann.commit("dave"), note="a commit that is never revealed")
    story.refuse(story.refuser().headers())
    story.refuse(story.refuser().stamps())
    story.refuse(story.refuser().registering())
    alice = _record(story, 1, ann.key, "alice", 1)
    ab = _record(story, 2, ben.key, "ab", 1)
    story.mine(ann.reveal("alice", alice), ben.reveal("ab", ab), note="both claim eeee::1: the first gets it")
    story.refuse(story.refuser().median())
    reg_alice, reg_ab = ann.reg("alice"), ben.reg("ab")
    plain = _record(story, 1, ann.key, "alice") | {"dns": [["www", "A", 300, "192.0.2.1"]]}
    updates = ann.update("alice", reg_alice, 1, plain), ben.update("ab", reg_ab, 5, ab)
    story.mine(*updates, note="alice gives eeee::1 up, ab's claim is granted after it")
    story.refuse(story.refuser().living(reg_alice, reg_ab))
    renew = Renew(name="alice", reg=reg_alice, expires=33)
    by_node = _signed_by_node(renew, 1, story.node.genesis)
    story.mine(by_node, ben.renew("ab", reg_ab, 33), note="renewed by the primary's node key, and by the owner")
    story.mine(ben.transfer("ab", reg_ab, 6, cat.key), note="ab to cat: the record is emptied, the address stays")
    story.refuse(story.refuser().transferred(reg_ab))
    kept = _record(story, 3, cat.key, "ab", 1)
    both = cat.update("ab", reg_ab, 7, kept), ann.update("alice", reg_alice, 2, plain | {"future": b"\1"})
    story.mine(*both, note="ab claims what it holds; unknown keys are kept")
    story.mine(cat.revoke("ab", reg_ab, 8), note="ab revoked, its address freed; the commitments of block 1 are pruned")
    story.refuse(story.refuser().revoked(reg_ab))
    return reg_alice, reg_ab


def _signed_by_node(renew: Renew, number: int, genesis: bytes) -> Renew:
    signature = sign_ed25519(Machine(number).seed, operations.opid(renew, genesis))
    return Renew(name=renew.name, reg=renew.reg, expires=renew.expires, signature=signature)


def _rivals(story: Story) -> None:
    """Heights 9 to 13: ann and ben reveal carol on two branches, ben's becomes the heavier."""
    ann, ben = story.branch.person("ann"), story.branch.person("ben")
    story.mine(ann.commit("carol"), ben.commit("carol"), note="two owners want carol")
    _earliest(story)
    rival = Branch()
    for step in story.steps:
        rival.add(Block.decode(bytes.fromhex(str(step["block"])), rival.params.consensus))
    story.mine(ann.reveal("carol"), note="carol is ann's")
    story.mine()
    story.take(rival.mine(rival.stamp(ben.reveal("carol"))), "a rival branch, lighter: kept")
    last = rival.mine(), rival.mine()
    early = "its third block comes before its second, of which only the header is known: kept"
    story.take(last[1], early, headers=(last[0].header,))
    story.take(last[0], "three blocks against two: carol is ben's")
    story.branch = rival


def _earliest(story: Story) -> None:
    chain = story.branch.chain
    step = chain.next_block().median_time + 1 - chain.tip.header.time
    story.take(story.branch.mine(step=step), "the earliest time that the median permits")


def _tie(story: Story) -> None:
    """Height 14: two blocks of equal work; the one with the smaller id wins, although it comes second."""
    ann = story.branch.person("ann")
    empty, full = story.branch.block(), story.branch.block(story.branch.stamp(ann.commit("dave")))
    second, first = sorted((empty, full), key=lambda block: block.header.id)
    assert second.header.bits == first.header.bits
    story.take(first)
    story.take(second, "equal work, smaller id: adopted")
    story.branch.add(second)


def _running_out(story: Story, reg_alice: bytes, reg_ab: bytes) -> None:
    """Heights 15 to 36: commitments pruned and made again, expiry, grace, renewal."""
    ann, ben = story.branch.person("ann"), story.branch.person("ben")
    ahead = story.branch.mine(story.branch.stamp(ben.commit("dave")), step=3000)
    story.take(ahead, "a clock 50 minutes ahead; twelve blocks later the median forgets it")
    frank = story.branch.mine(story.branch.stamp(ann.commit("frank")), step=-2900)
    story.take(frank, "never revealed in time")
    story.mine(ben.reveal("dave"))
    _wait(story, 22)
    story.refuse(story.refuser().pruned())
    story.mine(ann.commit("frank"), note="the same commit again, after its life")
    _wait(story, 25)
    story.refuse(story.refuser().median())
    story.mine()
    _earliest(story)
    _wait(story, 30)
    story.mine(ann.commit("ivan"))
    _wait(story, 34)
    story.refuse(story.refuser().late())
    story.refuse(story.refuser().grace(reg_alice))
    story.mine(note="alice is in grace")
    story.mine(ann.renew("alice", reg_alice, 35), note="renewed in grace")
    _second_life(story, reg_ab)


def _second_life(story: Story, reg_ab: bytes) -> None:
    """Heights 37 to 46: ab is deleted and registered anew, carol runs out, claims that are not granted."""
    ann, ben = story.branch.person("ann"), story.branch.person("ben")
    story.mine(ann.commit("ab", born=36))
    story.mine()
    story.refuse(story.refuser().not_yet_deleted(36))
    story.mine()
    ab = _record(story, 1, ann.key, "ab", 1)
    story.mine(ann.reveal("ab", ab, born=36), note="ab's old entry is deleted before the block's operations")
    story.refuse(story.refuser().second_life(reg_ab))
    reg_dave = ben.reg("dave")
    dave = {number: _record(story, 2, ben.key, "dave", number) for number in (1, 2)}
    story.mine(ben.update("dave", reg_dave, 1, dave[2]), note="eeee::2 granted")
    story.mine(ben.update("dave", reg_dave, 2, dave[1]), note="eeee::1 is ab's: dave keeps eeee::2")
    handed = ann.transfer("ab", ann.reg("ab", 36), 1, ben.key), ben.update("ab", ann.reg("ab", 36), 2)
    story.mine(*handed, note="transfer and the new owner's update in one block")
    _wait(story, 45)
    story.mine(note="carol is deleted")


def _wait(story: Story, height: int) -> None:
    while story.branch.height < height:
        story.mine()


def _undecodable(story: Story) -> list[Json]:
    block = bytes.fromhex(str(story.steps[2]["block"]))
    head, body = block[:124], codec.decode(block[124:])
    assert isinstance(body, list)
    first = body[0]
    assert isinstance(first, bytes)
    cases = (
        ("4,097 bytes", "block-size", block + bytes(4097 - len(block))),
        ("123 bytes", "header-size", block[:123]),
        ("version 2", "header-version", b"\0\0\0\2" + block[4:]),
        ("no body", "truncated", head),
        ("a byte follows", "trailing-bytes", block + b"\0"),
        ("the body is a map", "field-type", head + codec.encode({})),
        ("operations not as byte strings", "field-bytes", head + codec.encode([codec.decode(first)])),
        ("an operation cut", "truncated", head + codec.encode([first[:-1]])),
        ("the array's count not in its shortest form", "not-shortest", head + b"\x98\2" + block[125:]),
    )
    return [{"why": why, "code": code, "block": data.hex()} for why, code, data in cases]
