"""What the kernel gives at once fits into one train."""

from meshrouter.host.plan import MOST_SUPER
from meshrouter.wire.frame import HEADER_SIZE, MAX_CARS, TAG_SIZE
from meshrouter.wire.packet import PACKET_SIZE
from meshrouter.wire.sec import SEC_OVERHEAD
from meshrouter.wire.train import MAX_TRAIN

UDP_OVER_IPV6 = 1500 - 48
"""The smallest of the usual links."""


def test_the_largest_super_packet_is_one_train_on_every_usual_link() -> None:
    room = min(MAX_TRAIN, MAX_CARS * (UDP_OVER_IPV6 - HEADER_SIZE) - TAG_SIZE)
    assert room >= MOST_SUPER + PACKET_SIZE + SEC_OVERHEAD + 4
