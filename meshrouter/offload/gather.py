"""Datagrams that programs send one by one leave as one, where they came out of the TUN together.

The kernel makes super-packets of what one call gives it; a program with a call for every datagram gets nothing of that.
When it is faster than we are, its datagrams wait in the TUN, and one reading finds many. Joined by the rules of
``coalesce`` they are one packet for every seal and every hop on the way, and become again, at the far end, exactly
those that were sent. Nothing waits for another: what comes alone goes alone.

TCP needs none of this: the kernel has joined what there was to join. Packets for groups travel one by one, each under
its origin's signature.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from meshrouter.offload.coalesce import Coalescer
from meshrouter.offload.vnet import COMPLETE, UDP_PARTIAL, TunPacket, VnetHeader

_TO_MANY: Final = b"\xff"
"""First byte of a group's address."""
Batch: TypeAlias = Sequence[tuple[VnetHeader | None, bytes]]
"""IPv6 packets of this host, oldest first, each with the kernel's header if it gave one."""


def gathered(batch: Batch) -> Batch:
    """The same, with datagrams of one flow as super-packets; the order within every flow stays."""
    if len(batch) < 2 or sum(vnet is UDP_PARTIAL for vnet, _ in batch) < 2:
        return batch
    coalescer = Coalescer(udp=True, tcp=False)
    for vnet, packet in batch:
        tun = TunPacket(vnet or COMPLETE, packet)
        (coalescer.pass_by if packet[24:25] == _TO_MANY else coalescer.add)(tun)
    return coalescer.take()
