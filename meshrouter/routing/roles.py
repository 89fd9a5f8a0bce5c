"""The ledger says something else of a key: what that forbids ends in the same call, what it allows is asked for."""

from meshchain.crypto.address import node_id
from meshrouter.directory import Role
from meshrouter.routing.acceptance import refused_by_ledger
from meshrouter.routing.adjacency import Adjacency
from meshrouter.routing.choosing import Choosing
from meshrouter.routing.reception import Reception
from meshrouter.routing.state import EVERYTHING, State
from meshrouter.wire.control import Dump, Retract


class Roles:
    """Times are running seconds."""

    def __init__(self, state: State, choosing: Choosing, reception: Reception) -> None:
        self._state = state
        self._choosing = choosing
        self._reception = reception

    def changed(self, key: bytes, now: float) -> None:
        if key == self._state.env.identity.key:
            self._ours(now)
        for adjacency in self._state.adjacencies.values():
            if adjacency.neighbour.key == key:
                self._neighbour(adjacency, now)
        origin = node_id(key)
        if origin is not None:
            self._origin(key, origin, now)

    def _ours(self, now: float) -> None:
        state = self._state
        state.relaying = state.may_relay()
        state.own.look(state.own_caps, 0, now)
        for adjacency in state.adjacencies.values():
            state.tell_all(adjacency, now)

    def _neighbour(self, adjacency: Adjacency, now: float) -> None:
        before, adjacency.role = adjacency.role, self._state.directory.role(adjacency.neighbour.key)
        if adjacency.role is before:
            return
        if adjacency.role is Role.BARRED:
            self._state.telling.down(adjacency)
            self._reception.forget_session(adjacency, now)
            return
        if before is Role.BARRED:
            self._state.outputs.append((adjacency.neighbour, Retract(EVERYTHING, 0)))
        if adjacency.role is Role.MEMBER:
            self._everything_anew(adjacency, now)
        else:
            relayed = [origin for origin in adjacency.heard.all.entries if origin != adjacency.neighbour.id]
            self._choosing.drop(adjacency, relayed, now)
        self._state.tell_all(adjacency, now)

    def _everything_anew(self, adjacency: Adjacency, now: float) -> None:
        """What it told us of others so far was refused."""
        adjacency.heard.asked(now)
        self._state.outputs.append((adjacency.neighbour, Dump()))

    def _origin(self, key: bytes, origin: bytes, now: float) -> None:
        known = self._state.table.get(origin)
        if known is not None and known.key == key:
            self._state.table.set_role(known, self._state.directory.role(key))
        forbidden = refused_by_ledger(key, self._state.directory, self._state.zone) is not None
        for adjacency in self._state.adjacencies.values():
            entry = adjacency.heard.all.entries.get(origin)
            if entry is None or entry.key != key:
                continue
            if forbidden:
                self._choosing.drop(adjacency, [origin], now)
            elif known is None or adjacency.neighbour not in known.adverts:
                self._reception.ask_for(adjacency, origin, now)
