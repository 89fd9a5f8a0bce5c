"""Where the data plane meets the machines: each method takes what the plane has found to the machine it is for."""

from typing import Final

from meshrouter.directory import Directory, Role
from meshrouter.env import Env
from meshrouter.errors import WireError
from meshrouter.forwarding.pieces import Pieces
from meshrouter.groups.groups import Groups
from meshrouter.links.link import Link
from meshrouter.neighbours.machine import Neighbours
from meshrouter.neighbours.neighbour import Inbound, Neighbour
from meshrouter.offload.trains import Trains
from meshrouter.policy.policy import Policy
from meshrouter.policy.quota import GuestQuotas
from meshrouter.routing.routing import Routing
from meshrouter.trace.tracer import Tracer, is_probe
from meshrouter.wire.control import Redirect
from meshrouter.wire.meshctl import ErrorCode
from meshrouter.wire.packet import DESTINATION

REDIRECT_EVERY: Final = 10.0
"""Seconds between REDIRECTs to one neighbour about one other."""
_MOST_REDIRECTS: Final = 1024


class Junction:
    """Implements ``forwarding.plane.Machines``."""

    def __init__(
        self,
        env: Env,
        directory: Directory,
        *,
        neighbours: Neighbours,
        routing: Routing,
        trains: Trains,
        groups: Groups,
        tracer: Tracer,
        rules: Policy,
        quota: GuestQuotas,
    ) -> None:
        self._env = env
        self._directory = directory
        self._neighbours = neighbours
        self._routing = routing
        self._trains = trains
        self._groups = groups
        self._tracer = tracer
        self._rules = rules
        self._quota = quota
        self._pieces: dict[Neighbour, Pieces] = {}
        self._redirected: dict[tuple[bytes, bytes], float] = {}

    # --- frames --------------------------------------------------------------------------------------------

    def clear_frame(self, link: Link, address: bytes, data: bytes, now: float) -> None:
        self._neighbours.clear_frame(link, address, data, now)

    def unknown_index(self, link: Link, address: bytes, data: bytes, now: float) -> None:
        index, counter = int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big")
        self._env.counters.drop("link-index")
        self._neighbours.unknown(link, address, index, counter, now)

    def proved(self, inbound: Inbound, address: bytes, now: float) -> None:
        self._neighbours.proved(inbound.session, now, address)

    def control(self, inbound: Inbound, address: bytes, plaintext: bytes, now: float) -> None:
        self._neighbours.control_frame(inbound.session, plaintext, now, address)

    def train(self, inbound: Inbound, data: bytes, now: float) -> bytes | None:
        return self._trains.received(inbound.session, data, now)

    def piece(self, inbound: Inbound, plaintext: bytes, now: float) -> bytes | None:
        try:
            return self._pieces.setdefault(inbound.neighbour, Pieces()).add(plaintext, now)
        except WireError as error:
            self._env.counters.drop(error.code)
            return None

    def cut(self, neighbour: Neighbour, packet: bytes) -> list[bytes] | None:
        return self._pieces.setdefault(neighbour, Pieces()).cut(min(neighbour.link.mtu, neighbour.mtu), packet)

    def gone(self, neighbour: Neighbour) -> None:
        """The adjacency is over: what is kept for it goes."""
        self._pieces.pop(neighbour, None)

    # --- packets -------------------------------------------------------------------------------------------

    def group(self, packet: bytes, ingress: Neighbour, now: float) -> None:
        self._groups.received(packet, ingress, now)

    def passing(self, packet: bytes, ingress: Neighbour, now: float) -> bytes | None:
        return self._tracer.transit(packet, ingress, now) if is_probe(packet) else packet

    def misrouted(self, packet: bytes, ingress: Neighbour, now: float) -> None:
        self._routing.misrouted(ingress, packet[DESTINATION], now)

    def same_link(self, ingress: Neighbour, egress: Neighbour, now: float) -> None:
        """REDIRECT (RFC 4861 §8 does the like): both are on this link, and one may not know of the other."""
        both = ingress.key, egress.key
        if now < self._redirected.get(both, 0.0):
            return
        if len(self._redirected) >= _MOST_REDIRECTS:
            self._redirected.clear()
        self._redirected[both] = now + REDIRECT_EVERY
        redirect = Redirect(egress.id, egress.key, egress.link_address)
        self._neighbours.send_control(ingress, [redirect], now)

    def may_pass(self, packet: bytes, ingress: Neighbour | None, egress: Neighbour, now: float) -> ErrorCode | None:
        if ingress is not None and not self._rules.forwards(packet, ingress, egress):
            return ErrorCode.POLICY
        for guest in (ingress, egress):
            if guest is not None and guest.role is not Role.MEMBER and not self._within_quota(guest, packet, now):
                return ErrorCode.GUEST
        return None

    def _within_quota(self, guest: Neighbour, packet: bytes, now: float) -> bool:
        return self._quota.take(guest.key, len(packet), now)
