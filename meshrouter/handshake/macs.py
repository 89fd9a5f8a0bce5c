"""The two codes at the end of INIT and RESPONSE (the idea is WireGuard's: Donenfeld, NDSS 2017, §5.4.4).

``mac1`` shows that the sender knows whom it speaks to; without it a scan learns nothing, not even that somebody is
there. It keeps out no enemy who has heard a BEACON. ``mac2`` shows that the sender receives what is sent to the address
it writes from; it is asked for under load (``cookies``). Both are BLAKE2s-128 over all bytes of the body before them.
"""

from hashlib import blake2s
from hmac import compare_digest

from meshrouter.wire.handshake import MAC_SIZE


def mac1_key(responder: bytes) -> bytes:
    """``responder``: the id (14 bytes) of the side that did not begin, in both messages."""
    return blake2s(b"mac1" + responder).digest()


def mac(key: bytes, data: bytes) -> bytes:
    """16 bytes. ``key``: at most 32."""
    return blake2s(data, key=key, digest_size=MAC_SIZE).digest()


def fits(key: bytes, data: bytes, given: bytes) -> bool:
    return compare_digest(mac(key, data), given)
