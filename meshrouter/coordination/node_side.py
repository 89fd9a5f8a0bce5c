"""The router as the loop of its process drives it: with messages of the node, and packets as the TUN has them."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from meshrouter.binding_form import binding_from_json, bytes_from_json
from meshrouter.control.control import Control, State
from meshrouter.control.overview import Overview
from meshrouter.coordination.session_views import session_views
from meshrouter.directory import Directory, Tip
from meshrouter.env import Env
from meshrouter.links.link import Link
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.offload.vnet import COMPLETE, TCP_PARTIAL, UDP_PARTIAL, VnetHeader
from meshrouter.process.channel import Message
from meshrouter.router import Router, RouterConfig, RouterEvents
from meshrouter.tun.mld import Members
from meshrouter.wire.beacon import HAS_TUN

_USUAL: Final = {header.encode(): header for header in (COMPLETE, TCP_PARTIAL, UDP_PARTIAL)}
"""The virtio_net_hdr of single packets; ``offload`` knows them by identity."""
_SUBJECTS: Final = 2048
"""Questions in one message."""


class NodeSide:
    """Implements ``process.loop.Coordinator``. ``surroundings``: what of the overview only the process knows."""

    def __init__(
        self,
        env: Env,
        directory: Directory,
        config: RouterConfig,
        *,
        links: Callable[[], Iterable[Link]],
        tun: Callable[[], str | None],
        off: Callable[[], dict[str, str]],
        started: float,
    ) -> None:
        self._messages: list[Message] = []
        self._directory = directory
        self._links = links
        self._tun = tun
        self._off = off
        self._crowd_moved = False
        self.members = Members()
        events = RouterEvents(neighbours=self._neighbours_moved, seqnos=self._want_seqnos)
        self.router = Router(env, directory, config, events=events, is_member=self.members.groups.__contains__)
        state = State(
            overview=self._overview,
            neighbours=lambda: self.router.neighbours,
            routes=self.router.routing.routes.values,
            sessions=lambda: session_views(self.router.sessions, self.router.now),
            key_of=self.router.key_of,
        )
        self._control = Control(env, directory, state, self._answer, started=started)
        self._control.tracer = self.router.tracer
        events.result = self._control.finished
        self.add_link = self.router.add_link
        self.remove_link = self.router.remove_link
        self.link_frames = self.router.link_frames
        self.deadline = self.router.deadline
        self.tick = self.router.tick
        directory.role(env.identity.key)  # asks

    def tun_packets(self, packets: list[tuple[bytes, bytes]], now: float) -> None:
        """(virtio_net_hdr, IPv6 packet) as the TUN gave them."""
        take = self.members.take
        usual, decoded = _USUAL.get, VnetHeader.decode
        batch = [(usual(header) or decoded(header), packet) for header, packet in packets if not take(packet)]
        self.router.tun_packets(batch, now)

    def take_tun(self) -> list[tuple[bytes, bytes]]:
        packets = self.router.take_tun()
        return [(vnet.encode(), packet) for vnet, packet in packets] if packets else []

    # --- the node ------------------------------------------------------------------------------------------

    def parent(self, message: Message, now: float) -> None:
        """What makes no sense is dropped: both sides are of one program, and yet maybe of two versions."""
        handler = _HANDLERS.get(str(message.get("type")))
        if handler is None:
            return
        try:
            self.router.at(now, lambda: handler(self, message, now))
        except (ValueError, KeyError, TypeError):
            self.router.env.counters.drop("node-message")

    def take_parent(self) -> list[Message]:
        if not (self._messages or self._crowd_moved or self._directory.has_news):
            return []
        self._tell("questions", "subjects", self._directory.take_questions())
        self._tell("forgotten", "subjects", self._directory.take_forgotten())
        if self._crowd_moved:
            self._crowd_moved = False
            listed = [_neighbour_form(neighbour) for neighbour in self.router.neighbours]
            self._messages.append({"type": "neighbours", "tun": self._tun() is not None, "list": listed})
        taken, self._messages = self._messages, []
        return taken

    def _tell(self, kind: str, field: str, subjects: list[bytes]) -> None:
        for start in range(0, len(subjects), _SUBJECTS):
            part = [subject.hex() for subject in subjects[start : start + _SUBJECTS]]
            self._messages.append({"type": kind, field: part})

    def surroundings_moved(self) -> None:
        """The TUN has come or gone: whoever uses it has to know."""
        self._crowd_moved = True

    def _neighbours_moved(self) -> None:
        self._crowd_moved = True

    def _want_seqnos(self, above: int) -> None:
        self._messages.append({"type": "seqno", "above": above})

    def _answer(self, number: int, form: dict[str, Any]) -> None:
        self._messages.append({"type": "answer", "id": number, **form})

    # --- its messages --------------------------------------------------------------------------------------

    def _on_tip(self, message: Message, _now: float) -> None:
        self.router.news.tip(Tip(int(message["height"]), bool(message["synced"])))

    def _on_own(self, message: Message, _now: float) -> None:
        self.router.news.own_claims([bytes_from_json(form, 16) for form in message["addresses"]])

    def _on_bindings(self, message: Message, _now: float) -> None:
        for form in message["list"]:
            self._directory.told_binding(binding_from_json(form))

    def _on_holders(self, message: Message, _now: float) -> None:
        for address, key in message["list"]:
            holder = None if key is None else bytes_from_json(key, 32)
            self._directory.told_holder(bytes_from_json(address, 16), holder)

    def _on_seqno(self, message: Message, _now: float) -> None:
        self.router.seqnos.granted(int(message["first"]))

    def _on_ask(self, message: Message, now: float) -> None:
        self._control.ask(int(message["id"]), str(message["method"]), dict(message["params"]), now)

    # -------------------------------------------------------------------------------------------------------

    def _overview(self) -> Overview:
        router = self.router
        return Overview(
            addresses=router.sessions.own_addresses,
            forwards=router.plane.forwards,
            tun=self._tun(),
            links=self._links(),
            neighbours=router.neighbours,
            routes=len(router.routing.routes),
            sessions=len(router.sessions.by_pair),
            forwarded=router.plane.forwarded,
            delivered=router.plane.delivered,
            rules=router.policy.counts(),
            off=self._off(),
        )


_HANDLERS: Final[dict[str, Callable[[NodeSide, Message, float], None]]] = {
    "tip": NodeSide._on_tip,
    "own": NodeSide._on_own,
    "bindings": NodeSide._on_bindings,
    "holders": NodeSide._on_holders,
    "seqno": NodeSide._on_seqno,
    "ask": NodeSide._on_ask,
}


def _neighbour_form(neighbour: Neighbour) -> dict[str, Any]:
    underlay = neighbour.link.underlay(neighbour.link_address)
    return {
        "key": neighbour.key.hex(),
        "address": neighbour.address.hex(),
        "gossip_port": neighbour.gossip_port,
        "underlay": None if underlay is None else underlay[0],
        "tun": bool(neighbour.caps & HAS_TUN),
    }
