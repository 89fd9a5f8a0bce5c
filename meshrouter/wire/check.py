"""What every decoder asks."""

from meshchain.crypto.address import node_id
from meshrouter.errors import WireError


def need(holds: object, code: str, message: str) -> None:
    """WireError (``code``) unless it holds."""
    if not holds:
        raise WireError(code, message)


def need_size(data: bytes, size: int, what: str) -> None:
    """WireError (wire-size) unless ``data`` has exactly ``size`` bytes."""
    if len(data) != size:
        raise WireError("wire-size", f"{what} has {size} bytes, this one has {len(data)}")


def id_of(key: bytes) -> bytes:
    """The id (14 bytes) of a node key. WireError (wire-key): it falls into eeee::/80.

    Whether the key is a point of the curve costs 100 times as much to tell, and is asked by whoever takes it up.
    """
    derived = node_id(key)
    if derived is None:
        raise WireError("wire-key", f"the id of key {key.hex()} falls into eeee::/80")
    return derived
