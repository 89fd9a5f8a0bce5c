"""How much is read at a time, of links and of the TUN alike. Whatever reads less has a reason of its own."""

from typing import Final

BATCH: Final = 64
"""Datagrams or packets: enough to pay for the wake-up, few enough to let other files have theirs."""
BATCH_BYTES: Final = 1 << 18
"""Of large ones, four super-packets: so much is still in the processor's cache when it is worked off. Over two hops TCP
is 3 % faster than with sixteen."""
