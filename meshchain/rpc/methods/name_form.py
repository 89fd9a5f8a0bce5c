"""How a name looks in JSON: Namecoin's fields, then ours."""

from typing import Final

from meshchain.crypto.address import node_address, text_of
from meshchain.ledger import record_json
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.record import primary_key
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import shapes
from meshchain.rpc.schema import Schema

NAME_FORM: Final[Schema] = shapes.table(
    {
        "name": shapes.TEXT,
        "value": {**shapes.OBJECT, "description": "The record"},
        "txid": {**shapes.nullable(shapes.HASH), "description": "Last operation on the name"},
        "address": {**shapes.OWNER, "description": "The owner key, under Namecoin's word"},
        "height": {**shapes.HEIGHT, "description": "Of that operation"},
        "expires_in": {**shapes.INTEGER, "description": "Blocks; zero or less in grace"},
        "expired": {**shapes.BOOLEAN, "description": "In grace: it still resolves and can only be renewed"},
        "ip6": {**shapes.nullable(shapes.TEXT), "description": "The name's mesh address"},
        "owner": shapes.OWNER,
        "seq": shapes.SEQ,
        "reg": shapes.REG,
        "status": {"type": "string", "enum": ["active", "grace", "revoked"]},
        "registered": shapes.HEIGHT,
        "expires": shapes.HEIGHT,
    }
)


def name_form(view: ChainView, name: str, entry: NameEntry) -> dict[str, Json]:
    """The entry of ``name`` as of the view's tip, with its last operation."""
    last = view.last_operation(name)
    return {
        "name": name,
        "value": record_json.to_json(entry.record),
        "txid": last.opid.hex() if last else None,
        "address": entry.owner.hex(),
        "height": last.height if last else entry.registered,
        "expires_in": entry.expires - view.height,
        "expired": not entry.active(view.height),
        "ip6": address_text(name_address(entry)),
        "owner": entry.owner.hex(),
        "seq": entry.seq,
        "reg": entry.reg.hex(),
        "status": status(entry, view.height),
        "registered": entry.registered,
        "expires": entry.expires,
    }


def status(entry: NameEntry, height: int) -> str:
    if entry.revoked:
        return "revoked"
    return "active" if entry.active(height) else "grace"


def name_address(entry: NameEntry) -> bytes | None:
    """The granted claim, else the primary host's derived address (ledger rules, section 3); none if revoked."""
    if entry.revoked:
        return None
    key = primary_key(entry.record)
    derived = None if key is None else node_address(key)
    return entry.address or derived


def address_text(address: bytes | None) -> str | None:
    return None if address is None else text_of(address)
