"""Handshakes and what they leave behind, the same between neighbours and between ends.

``initiation`` and ``door`` are the two sides of Noise IK over datagrams, ``macs`` and ``cookies`` what protects them,
``ciphers`` and ``replay`` what a session is made of.
"""

from meshrouter.handshake.ciphers import MOST_MESSAGES, Opener, Sealer, full_counter
from meshrouter.handshake.door import CookieReply, Door, Offer
from meshrouter.handshake.initiation import Finished, Initiation
from meshrouter.handshake.replay import ReplayWindow

__all__ = [
    "MOST_MESSAGES",
    "CookieReply",
    "Door",
    "Finished",
    "Initiation",
    "Offer",
    "Opener",
    "ReplayWindow",
    "Sealer",
    "full_counter",
]
