"""Reading names, with Namecoin's names, argument order and result fields."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, cast

from meshchain.ledger.entry import NameEntry
from meshchain.ledger.operations import name_of as operation_name
from meshchain.rpc import errors
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import shapes
from meshchain.rpc.methods.history import HISTORY_FORM, history_forms
from meshchain.rpc.methods.name_form import NAME_FORM, name_form
from meshchain.rpc.methods.name_pattern import NamePattern
from meshchain.rpc.methods.operation_form import OPERATION_FORM, operation_form
from meshchain.rpc.registry import Area, Call, Example, Param

AREA: Final = Area("names")

SCAN_LIMIT: Final = 5000
"""Names in one answer: with full records about 20 MB of JSON."""

_CONFIRMATIONS: Final[dict[str, Json]] = {"type": "integer", "minimum": 0}
_ALICE: Final[dict[str, Json]] = {
    "name": "alice",
    "value": {"dns": [["", "TXT", 300, "hello"]]},
    "txid": "4d5e" * 16,
    "address": "02" + "a1" * 32,
    "height": 1207,
    "expires_in": 262_790,
    "expired": False,
    "ip6": "eeee::1",
    "owner": "02" + "a1" * 32,
    "seq": 3,
    "reg": "c0ffee00" * 4,
    "status": "active",
    "registered": 1100,
    "expires": 263_997,
}


@AREA.method(
    "name_show",
    params=(
        shapes.NAME_PARAM,
        Param(
            "options",
            shapes.options({"allowExpired": shapes.BOOLEAN}),
            "allowExpired (default true): false refuses a name in grace",
            {},
        ),
    ),
    result=NAME_FORM,
    synced=True,
    fails=(errors.ABSENT, errors.BAD_VALUE),
    examples=(
        Example("a registered name", ["alice"], _ALICE),
        Example("the suffix is accepted", ["alice.mesh", {"allowExpired": True}], _ALICE),
        Example("a free name", ["nobody-has-this"], fails="name-not-found"),
    ),
)
def name_show(call: Call, name: str, options: Mapping[str, Json]) -> Json:
    """A name's record, owner and state."""
    name = shapes.name_of(name)
    entry = _existing(call, name)
    if options.get("allowExpired") is False and not entry.active(call.view.height):
        raise errors.absent("name-expired", f"{name} expired at height {entry.expires}", expires=entry.expires)
    return name_form(call.view, name, entry)


@AREA.method(
    "name_scan",
    params=(
        Param("start", {"type": "string", "maxLength": 253}, "First name to list, inclusive", ""),
        Param("count", {"type": "integer", "minimum": 0, "maximum": SCAN_LIMIT}, "Most names to list", 500),
        Param(
            "options",
            shapes.options(
                {
                    "prefix": shapes.TEXT,
                    "regexp": shapes.TEXT,
                    "minConf": _CONFIRMATIONS,
                    "maxConf": _CONFIRMATIONS,
                }
            ),
            "prefix of the names; regexp: what occurs in them; minConf, maxConf: confirmations of the last operation",
            {},
        ),
    ),
    result=shapes.listing(NAME_FORM),
    synced=True,
    scan=True,
    fails=(errors.BAD_VALUE,),
    examples=(
        Example("the first ten names", ["", 10], [_ALICE]),
        Example("by prefix", ["", 10, {"prefix": "al", "minConf": 1}], [_ALICE]),
        Example("by pattern", ["", 10, {"regexp": "^(alice|bob)$"}], [_ALICE]),
    ),
)
def name_scan(call: Call, start: str, count: int, options: Mapping[str, Json]) -> Json:
    """Names in order, a page at a time.

    For the next page pass the last name of this one followed by "-" as start: nothing sorts between the two.
    An empty page is the end. Names in grace are listed. Patterns know letters, digits, '-', '.', classes, groups,
    '|', '*', '+', '?', '^' and '$'.
    """
    prefix = shapes.optional_text(options, "prefix") or ""
    names = call.view.names(max(start.removesuffix(shapes.SUFFIX), prefix))
    return list(islice(_selected(call, names, prefix, options), count))


def _selected(
    call: Call, names: Iterable[tuple[str, NameEntry]], prefix: str, options: Mapping[str, Json]
) -> Iterator[dict[str, Json]]:
    low = shapes.optional_integer(options, "minConf") or 0
    high = shapes.optional_integer(options, "maxConf")
    pattern = NamePattern(shapes.optional_text(options, "regexp") or "")
    for name, entry in _patient(call, names):
        if not name.startswith(prefix):
            return
        if not pattern.matches(name):
            continue
        form = name_form(call.view, name, entry)
        confirmations = call.view.height - cast("int", form["height"]) + 1
        if low <= confirmations and (high is None or confirmations <= high):
            yield form


@AREA.method(
    "name_history",
    params=(shapes.NAME_PARAM,),
    result=shapes.listing(HISTORY_FORM),
    synced=True,
    scan=True,
    fails=(errors.ABSENT, errors.BAD_VALUE),
    examples=(
        Example("every operation on a name", ["alice"], []),
        Example("a free name", ["a-0"], fails="name-not-found"),
    ),
)
def name_history(call: Call, name: str) -> Json:
    """Every operation on a name, oldest first, earlier lives included."""
    name = shapes.name_of(name)
    forms = list(history_forms(call.view, name, call.breathe))
    if not forms:
        raise _not_found(call, name)
    return forms


@AREA.method(
    "name_list",
    params=(
        Param("name", shapes.NAME, "Only this name", None),
        Param(
            "options",
            shapes.options(
                {"owner": shapes.OWNER, "owners": {**shapes.listing(shapes.OWNER), "maxItems": 1000}},
            ),
            "owner, or owners: names of these keys; without, the names this node works for",
            {},
        ),
    ),
    result=shapes.listing(NAME_FORM),
    synced=True,
    scan=True,
    fails=(errors.BAD_VALUE,),
    examples=(
        Example("names in this node's queue", [], []),
        Example("names of a key", [None, {"owner": "02" + "a1" * 32}], [_ALICE]),
    ),
)
def name_list(call: Call, name: str | None, options: Mapping[str, Json]) -> Json:
    """Names of given owner keys, or those this node has operations for.

    The node holds no owner keys, so it cannot know which names are whose without being told.
    """
    wanted = None if name is None else shapes.name_of(name)
    owners = {bytes.fromhex(key) for key in cast("list[str]", options.get("owners", []))}
    owners |= {shapes.raw(options["owner"])} if "owner" in options else set()
    found = _owned(call, owners) if owners or "owners" in options else _queued(call)
    return [name_form(call.view, key, entry) for key, entry in found if wanted in (None, key)]


@AREA.method(
    "name_pending",
    params=(Param("name", shapes.NAME, "Only operations on this name", None),),
    result=shapes.listing(shapes.extended(OPERATION_FORM, {"op": shapes.TEXT, "added": shapes.INTEGER})),
    synced=True,
    scan=True,
    fails=(errors.BAD_VALUE,),
    examples=(Example("all", [], []), Example("of one name", ["alice"], [])),
)
def name_pending(call: Call, name: str | None) -> Json:
    """Operations on names that wait in the mempool (op repeats kind under Namecoin's word)."""
    wanted = None if name is None else shapes.name_of(name)
    genesis = call.view.genesis_id
    return [
        {**operation_form(item.operation, genesis), "op": item.operation.kind, "added": int(item.added)}
        for item in call.node.pending()
        if (spoken := operation_name(item.operation)) is not None and wanted in (None, spoken)
    ]


@AREA.method(
    "name_proof",
    params=(shapes.NAME_PARAM,),
    result=shapes.table(
        {
            "name": shapes.TEXT,
            "present": shapes.BOOLEAN,
            "height": shapes.HEIGHT,
            "root": shapes.HASH,
            "proof": shapes.HEX,
        }
    ),
    synced=True,
    fails=(errors.BAD_VALUE,),
    examples=(
        Example(
            "that a name is there",
            ["alice"],
            {"name": "alice", "present": True, "height": 1207, "root": "5e" * 32, "proof": "840040"},
        ),
        Example(
            "that it is not",
            ["a-0"],
            {"name": "a-0", "present": False, "height": 1207, "root": "5e" * 32, "proof": "840040"},
        ),
    ),
)
def name_proof(call: Call, name: str) -> Json:
    """A proof of a name's entry, or of its absence, that leads to the tip's state root."""
    name, view = shapes.name_of(name), call.view
    return {
        "name": name,
        "present": view.entry(name) is not None,
        "height": view.height,
        "root": view.tip.state_root.hex(),
        "proof": view.prove(name).hex(),
    }


@AREA.method(
    "name_commitment",
    params=(Param("commitment", shapes.HASH, "The commitment of a commit operation"),),
    result=shapes.table(
        {
            "commitment": shapes.HASH,
            "height": {**shapes.HEIGHT, "description": "Of the commit"},
            "used": {**shapes.BOOLEAN, "description": "A reveal has used it"},
            "reveal_from": {**shapes.HEIGHT, "description": "First block that may hold the reveal"},
            "expires_in": {**shapes.INTEGER, "description": "Blocks until the commitment is forgotten"},
        }
    ),
    synced=True,
    fails=(errors.ABSENT,),
    examples=(Example("an unknown commitment", ["00" * 32], fails="commitment-not-found"),),
)
def name_commitment(call: Call, commitment: str) -> Json:
    """Whether a commitment is in the index, and when it may be revealed."""
    known = call.view.commitment(bytes.fromhex(commitment))
    if known is None:
        raise errors.absent("commitment-not-found", "no such commitment is in the index", height=call.view.height)
    rules = call.view.params.consensus
    return {
        "commitment": commitment.lower(),
        "height": known.height,
        "used": known.used,
        "reveal_from": known.height + rules.commit_depth,
        "expires_in": known.height + rules.commit_life - call.view.height,
    }


def _existing(call: Call, name: str) -> NameEntry:
    entry = call.view.entry(name)
    if entry is None:
        raise _not_found(call, name)
    return entry


def _not_found(call: Call, name: str) -> errors.RpcError:
    message = f"{name}.mesh is not registered"
    return errors.absent("name-not-found", message, name=name, height=call.view.height)


def _patient(call: Call, names: Iterable[tuple[str, NameEntry]]) -> Iterator[tuple[str, NameEntry]]:
    """``names``, as long as the call may go on."""
    for item in names:
        call.breathe()
        yield item


def _owned(call: Call, owners: set[bytes]) -> Iterator[tuple[str, NameEntry]]:
    """One pass over all names, whatever the number of keys."""
    return ((name, entry) for name, entry in _patient(call, call.view.names()) if entry.owner in owners)


def _queued(call: Call) -> Iterator[tuple[str, NameEntry]]:
    for name in sorted({item.name for item in call.node.queue() if item.name is not None}):
        entry = call.view.entry(name)
        if entry is not None:
            yield name, entry
