"""What the ledger says anew, taken to everybody it concerns."""

from collections.abc import Callable, Sequence

from meshrouter.directory import Binding, Directory, Role, Tip
from meshrouter.env import Env
from meshrouter.forwarding.plane import Plane
from meshrouter.neighbours.machine import Neighbours
from meshrouter.policy.policy import Policy
from meshrouter.policy.quota import GuestQuotas
from meshrouter.routing.routing import Routing
from meshrouter.sessions.sessions import Sessions


class LedgerNews:
    """``now`` tells running seconds: the directory reports without them."""

    def __init__(
        self,
        env: Env,
        directory: Directory,
        *,
        neighbours: Neighbours,
        routing: Routing,
        sessions: Sessions,
        plane: Plane,
        policy: Policy,
        quotas: GuestQuotas,
        now: Callable[[], float],
    ) -> None:
        self._env = env
        self._directory = directory
        self._neighbours = neighbours
        self._routing = routing
        self._sessions = sessions
        self._plane = plane
        self._policy = policy
        self._quotas = quotas
        self._now = now
        directory.on_binding = self.binding
        directory.on_holder = self.holder
        plane.forwards = directory.role(env.identity.key) is Role.MEMBER

    def binding(self, binding: Binding) -> None:
        """A key has another role, name, address or zone."""
        now = self._now()
        for neighbour in self._neighbours:
            if neighbour.key == binding.key:
                neighbour.role = binding.role
        if binding.role is Role.MEMBER:
            self._quotas.forget(binding.key)
        self._policy.forget()
        if binding.key == self._env.identity.key:
            self._plane.forwards = binding.role is Role.MEMBER
        self._routing.role_changed(binding.key, now)
        self._sessions.binding_changed(binding.key, now)
        self._neighbours.binding_changed(binding.key, now)  # last: it may end what the others still name

    def holder(self, address: bytes, _key: bytes | None) -> None:
        """A claimed address is another's."""
        self._sessions.binding_changed(address, self._now())

    def tip(self, tip: Tip) -> None:
        self._directory.tip = tip
        self._routing.tip_changed(self._now())

    def own_claims(self, claims: Sequence[bytes]) -> None:
        """The claimed addresses that are ours now (16 bytes each)."""
        self._sessions.set_own_addresses((*claims, self._env.identity.address))
