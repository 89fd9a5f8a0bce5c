"""Bindings as they cross from the ledger's process to the router's: JSON objects, bytes in hex.

The channel joins two processes of one node, but what it carries is checked like anything else: a form that is not
exactly this is a ValueError, and the message that holds it is dropped.
"""

from typing import Any

from meshchain.crypto.address import ADDRESS_SIZE
from meshrouter.directory import Binding, Role

_KEY = 32


def binding_to_json(binding: Binding) -> dict[str, Any]:
    return {
        "key": binding.key.hex(),
        "role": int(binding.role),
        "name": binding.name,
        "address": None if binding.address is None else binding.address.hex(),
        "zone": binding.zone,
    }


def binding_from_json(form: object) -> Binding:
    if not isinstance(form, dict):
        raise ValueError("a binding is an object")
    name, zone, address = form.get("name"), form.get("zone"), form.get("address")
    if not isinstance(name, str | None) or not isinstance(zone, int | None):
        raise ValueError("name is text, zone a number")
    return Binding(
        bytes_from_json(form.get("key"), _KEY),
        Role(form["role"]),
        name,
        None if address is None else bytes_from_json(address, ADDRESS_SIZE),
        zone,
    )


def bytes_from_json(form: object, size: int) -> bytes:
    """``size`` bytes from hexadecimal digits."""
    raw = bytes.fromhex(form) if isinstance(form, str) else b""
    if len(raw) != size:
        raise ValueError(f"{size} bytes in hexadecimal were expected")
    return raw
