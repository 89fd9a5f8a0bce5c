"""What a block is made of: most work per byte, whole beginnings of lanes, commits at most half."""

from meshchain.ledger import operations
from meshchain.ledger.block import Block
from meshchain.ledger.operations import Commit
from tests.ledger.kit import small_params
from tests.ledger.mempool.desk import Desk


def test_most_work_per_byte_first(desk: Desk) -> None:
    opids = {more: desk.add(desk.lab.owner(more + 1).commit("alice"), more=more) for more in (0, 3, 1, 2)}
    assert [desk.opid(op) for op in desk.pool.select(desk.lab.next())] == [opids[more] for more in (3, 2, 1, 0)]


def test_a_long_record_costs_rank(desk: Desk) -> None:
    owner = desk.lab.owner()
    regs = {name: desk.lab.register(owner, name).reg for name in ("long", "short")}
    desk.add(owner.update("long", regs["long"], 1, {"note": "x" * 900}))
    desk.add(owner.update("short", regs["short"], 1))
    assert [operations.name_of(op) for op in desk.pool.select(desk.lab.next())] == ["short", "long"]


def test_seq_order_goes_before_rank(desk: Desk) -> None:
    owner = desk.lab.owner()
    reg = desk.lab.register(owner, "alice").reg
    first = desk.add(owner.update("alice", reg, 1))
    second = desk.add(owner.update("alice", reg, 2), more=6)
    commit = desk.add(owner.commit("bob"), more=3)
    assert [desk.opid(op) for op in desk.pool.select(desk.lab.next())] == [commit, first, second]


def test_commits_fill_at_most_half_a_block(desk: Desk) -> None:
    commits = [desk.lab.stamp(desk.lab.owner(number).commit("alice"), more=2) for number in range(1, 40)]
    for commit in commits:
        desk.add(commit)
    selected = desk.pool.select(desk.lab.next())
    half = desk.lab.params.consensus.max_block_size // 2
    used = sum(len(operations.encode(op)) + 3 for op in selected)
    assert half - 200 < used <= half
    assert all(isinstance(op, Commit) for op in selected)
    blocks = 0
    while len(desk.pool):
        desk.mine_selected()
        blocks += 1
    assert blocks == -(-len(commits) // len(selected))


def test_other_kinds_fill_the_rest_to_the_last_byte_that_fits() -> None:
    desk = Desk(small_params(max_block_size=4096))
    owner = desk.lab.owner()
    regs = {f"name{n}": desk.lab.register(owner, f"name{n}").reg for n in range(6)}
    for number, (name, reg) in enumerate(regs.items()):
        desk.add(owner.update(name, reg, 1, {"note": "x" * (900 - 150 * number)}), more=5)
    for number in range(1, 30):
        desk.add(desk.lab.owner(number).commit("alice"))
    selected = desk.mine_selected()
    size = len(desk.lab.chain.block(desk.lab.chain.tip).encode())
    assert size <= 4096
    left_out = [pending for pending in desk.pool.pending() if not isinstance(pending.operation, Commit)]
    overhead = 3 + sum(3 for _ in selected)
    used = 124 + overhead + sum(len(operations.encode(op)) for op in selected)
    assert all(used + pending.size + 3 > 4096 for pending in left_out)


def test_a_block_of_selected_operations_decodes_at_its_largest() -> None:
    """Sizes around the block's limit: selection never exceeds it, whatever the sizes are."""
    for note in range(560, 600, 3):
        desk = Desk(small_params(max_block_size=4096))
        owner = desk.lab.owner()
        desk.lab.mine(*(desk.lab.stamp(owner.commit(f"n{n}")) for n in range(6)))
        desk.mine()
        for n in range(6):
            desk.add(owner.reveal(f"n{n}", {"note": "x" * note}))
        assert len(desk.mine_selected()) in (4, 5)
        encoded = desk.lab.chain.block(desk.lab.chain.tip).encode()
        Block.decode(encoded, desk.lab.params.consensus)
