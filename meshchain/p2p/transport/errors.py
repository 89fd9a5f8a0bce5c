"""Why a stream was given up."""

from meshchain.ledger.errors import RemoteError


class TransportError(RemoteError):
    """The bytes that came in are at fault; the stream is dead. ``code`` is the rule:

    handshake-timeout, handshake-size, key-mismatch, key-not-proven: before the peer's key is known;
    noise-key, noise-tag: a key of small order; bytes that do not open (changed, replayed, out of order);
    frame-size: an announced length that no frame has; message-empty, message-too-long: likewise of a message;
    truncated: the end came inside a handshake, a frame or a message; closed: bytes after any of these.
    """

    def __init__(self, code: str, message: str, *, proven: bool = False) -> None:
        """``proven``: the fault is inside what the peer's key has sealed, so the holder of that key made it.

        Of any other fault, anybody on the path can be the author: it says nothing about the key, and whoever bans
        keys for it lets strangers ban them.
        """
        super().__init__(code, message)
        self.proven = proven
