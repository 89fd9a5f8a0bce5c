"""The parameters of a network: consensus, policy, ports; read from genesis.json or from a file of one's own.

Nothing here is a module constant: every rule takes its parameters from a ``Params`` that is passed in, so
that tests run the real code on small grids. The genesis block commits to all consensus parameters: two
networks that differ in any of them have different genesis ids, hence different digests everywhere.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, Final

from meshchain.crypto.hashing import tagged_hash
from meshchain.ledger import codec, compact
from meshchain.ledger.errors import LocalError

KINDS: Final = ("commit", "reveal", "update", "renew", "transfer", "revoke")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """What every node of a network must agree on. Times in seconds, spans in blocks, sizes in bytes."""

    name: str
    genesis_time: int
    spacing: int
    half_life: int
    retarget: bool
    """False: every block has the limit's bits (dev)."""
    pow_limit_bits: int
    pow_memory_kib: int
    max_block_size: int
    max_operation_size: int
    max_record_size: int
    commit_depth: int
    commit_life: int
    expiry: int
    grace: int
    max_seq_step: int
    stamp_grid: int
    stamp_bits: Mapping[str, int]
    """Minimum bits for each kind of operation."""
    stamp_short_name: int
    """A reveal of a name shorter than this needs one more bit for every missing character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a node decides for itself. Times in seconds."""

    future_limit: int | None
    settled_depth: int
    """A reorg that disconnects more settled blocks than this is parked."""
    parking_min: int
    parking_per_block: int
    parking_max: int
    peer_search: int
    mine_when_pending: bool
    """True: blocks are made only while something waits for one (dev)."""
    mine_wait: tuple[float, float]
    """Bounds of the random wait before mining an operation that this node did not queue itself."""
    mesh_bind_depth: int
    """Blocks under a binding before the router relies on it."""
    assume_valid: bytes | None
    """Block id (32 bytes) below which stamps are taken as checked."""
    minimum_chain_work: int
    """Hashes since genesis that a branch from peers must have before anything of it is stored; below 2^53."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    rpc: int
    dns: int
    gossip: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    consensus: Consensus
    policy: Policy
    ports: Ports

    @property
    def name(self) -> str:
        return self.consensus.name

    def network_hash(self) -> bytes:
        """H("network", canonical encoding of the consensus parameters): 32 bytes, genesis' ``previous``."""
        c = self.consensus
        table: dict[str, codec.Value] = {f.name: getattr(c, f.name) for f in fields(c)}
        table["stamp_bits"] = dict(c.stamp_bits)
        return tagged_hash("network", codec.encode(table))


def bundled_networks() -> dict[str, Params]:
    """The networks mesh, test and dev, by name."""
    return {name: parse(name, table) for name, table in json.loads(_genesis_text()).items()}


def load(network: str) -> Params:
    """Parameters of a bundled network by name, or of the JSON file at the path ``network`` (\\*.json).

    Raises LocalError (code bad-network) that names the file and the field at fault.
    """
    if not network.endswith(".json"):
        known = bundled_networks()
        if network not in known:
            names = ", ".join(known)
            raise LocalError("bad-network", f"unknown network {network!r}; known: {names}, or a path to a .json file")
        return known[network]
    try:
        table = json.loads(Path(network).read_text(encoding="utf-8"))
    except OSError as error:
        raise LocalError("bad-network", f"{network}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # the latter: brackets nested too deep
        raise LocalError("bad-network", f"{network}: {error}") from None
    return parse(network, table)


def parse(source: str, table: object) -> Params:
    """Build and check the parameters of one network from its JSON object; ``source`` names it in errors."""
    outer = _Section(source, table, {"consensus", "policy", "ports"})
    consensus = _Section(f"{source}: consensus", outer.get("consensus"), _names(Consensus))
    policy = _Section(f"{source}: policy", outer.get("policy"), _names(Policy))
    ports = _Section(f"{source}: ports", outer.get("ports"), _names(Ports))
    params = Params(
        consensus=_consensus(consensus),
        policy=_policy(policy),
        ports=Ports(**{name: ports.integer(name, 1, 65535) for name in _names(Ports)}),
    )
    _check_relations(source, params.consensus)
    return params


def _genesis_text() -> str:
    packaged = resources.files("meshchain") / "genesis.json"
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "genesis.json").read_text(encoding="utf-8")  # a source checkout


def _names(cls: type) -> set[str]:
    return {f.name for f in fields(cls) if f.default is MISSING}


class _Section:
    """One JSON object of the file, read field by field with errors that name the field."""

    def __init__(self, source: str, table: object, names: set[str]) -> None:
        if not isinstance(table, dict):
            raise LocalError("bad-network", f"{source}: not an object")
        for word, wrong in (("unknown", table.keys() - names), ("missing", names - table.keys())):
            if wrong:
                raise LocalError("bad-network", f"{source}: {word} {', '.join(sorted(map(str, wrong)))}")
        self.source = source
        self.table: dict[str, Any] = table

    def get(self, name: str) -> object:
        return self.table[name]

    def integer(self, name: str, low: int, high: int = 2**32 - 1) -> int:
        return self._integer(name, self.table[name], low, high)

    def _integer(self, name: str, value: object, low: int, high: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise LocalError("bad-network", f"{self.source}: {name} must be an integer from {low} to {high}")
        return value

    def boolean(self, name: str) -> bool:
        value = self.table[name]
        if not isinstance(value, bool):
            raise LocalError("bad-network", f"{self.source}: {name} must be true or false")
        return value

    def hexadecimal(self, name: str, size: int) -> bytes:
        try:
            raw = bytes.fromhex(self.table[name])
        except (TypeError, ValueError):
            raw = b""
        if len(raw) != size:
            raise LocalError("bad-network", f"{self.source}: {name} must be {2 * size} hexadecimal digits")
        return raw

    def stamp_bits(self) -> dict[str, int]:
        inner = _Section(f"{self.source}: stamp_bits", self.table["stamp_bits"], set(KINDS))
        return {kind: inner.integer(kind, 0, 64) for kind in KINDS}

    def wait(self, name: str) -> tuple[float, float]:
        value = self.table[name]
        good = isinstance(value, list) and len(value) == 2 and all(type(v) in (int, float) for v in value)
        if not good or not 0 <= value[0] <= value[1] <= 3600:
            raise LocalError("bad-network", f"{self.source}: {name} must be [low, high] in seconds")
        return float(value[0]), float(value[1])


def _consensus(s: _Section) -> Consensus:
    name = s.get("name")
    if not isinstance(name, str) or not name.isascii() or not name.isalnum() or len(name) > 32:
        raise LocalError("bad-network", f"{s.source}: name must be 1 to 32 ASCII letters and digits")
    return Consensus(
        name=name,
        genesis_time=s.integer("genesis_time", 0),
        spacing=s.integer("spacing", 1),
        half_life=s.integer("half_life", 1),
        retarget=s.boolean("retarget"),
        pow_limit_bits=int.from_bytes(s.hexadecimal("pow_limit_bits", 4), "big"),
        pow_memory_kib=s.integer("pow_memory_kib", 8, 2**20),
        max_block_size=s.integer("max_block_size", 4096, 2**22),
        max_operation_size=s.integer("max_operation_size", 512, 2**16 - 1),
        max_record_size=s.integer("max_record_size", 256, 2**16 - 1),
        commit_depth=s.integer("commit_depth", 1),
        commit_life=s.integer("commit_life", 1),
        expiry=s.integer("expiry", 1),
        grace=s.integer("grace", 0),
        max_seq_step=s.integer("max_seq_step", 1),
        stamp_grid=s.integer("stamp_grid", 1),
        stamp_bits=s.stamp_bits(),
        stamp_short_name=s.integer("stamp_short_name", 0, 63),
    )


def _policy(s: _Section) -> Policy:
    unlimited = s.get("future_limit") is None
    return Policy(
        future_limit=None if unlimited else s.integer("future_limit", 0),
        settled_depth=s.integer("settled_depth", 0),
        parking_min=s.integer("parking_min", 0),
        parking_per_block=s.integer("parking_per_block", 0),
        parking_max=s.integer("parking_max", 0),
        peer_search=s.integer("peer_search", 0),
        mine_when_pending=s.boolean("mine_when_pending"),
        mine_wait=s.wait("mine_wait"),
        mesh_bind_depth=s.integer("mesh_bind_depth", 0),
        assume_valid=None if s.get("assume_valid") is None else s.hexadecimal("assume_valid", 32),
        minimum_chain_work=s.integer("minimum_chain_work", 0, 2**53 - 1),
    )


def _check_relations(source: str, c: Consensus) -> None:
    rules = (
        (c.commit_life > c.commit_depth, "commit_life must exceed commit_depth"),
        (c.expiry + c.grace < 2**31, "expiry + grace must be below 2^31, so that heights stay below 2^32"),
        (c.expiry + c.grace >= 4 * c.commit_life, "expiry + grace must be at least 4 times commit_life"),
        (c.max_operation_size + 256 <= c.max_block_size, "a block must hold an operation of the greatest size"),
        (compact.to_bits(compact.to_target(c.pow_limit_bits)) == c.pow_limit_bits, "pow_limit_bits is not canonical"),
        (compact.to_target(c.pow_limit_bits) > 0, "pow_limit_bits must be positive"),
    )
    for holds, message in rules:
        if not holds:
            raise LocalError("bad-network", f"{source}: consensus: {message}")
