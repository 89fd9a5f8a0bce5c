"""All rules, made ready: the first that fits decides, and none means accept.

What decides about a pair of ends, or about a peer and a service, is looked up once and remembered; a packet then costs
a dictionary. Names come from the directory, so whatever it learns makes everything be looked up again (``forget``): a
rule about a name takes hold on the block that binds the name.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from re import Pattern
from typing import Final, TypeVar

from meshrouter.directory import Directory
from meshrouter.env import Env
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.policy.rule import DROP, FORWARD, Rule
from meshrouter.policy.transport import PASSES, UDP, Opening, opening

MOST_KNOWN: Final = 65_536
"""Verdicts remembered of either kind."""
MOST_FLOWS: Final = 4096
FLOW_LIFE: Final = 180.0
"""Seconds that a datagram of ours may be answered (RFC 4787 §4.3: at least 120)."""

_NONE: Final = -1
"""No rule fits."""
_ENDS: Final = slice(8, 40)
"""Of a MESHP packet: zones and ids of both ends."""

K = TypeVar("K")
KeyOf = Callable[[bytes], bytes | None]


class Policy:
    """``has_forward``, ``has_accept``: whether there is anything to ask about.

    With accept rules, ``sent`` is told of every packet of this host.
    """

    def __init__(self, env: Env, directory: Directory, rules: Sequence[Rule], key_of: KeyOf) -> None:
        self._env = env
        self._directory = directory
        self._key_of = key_of
        self._rules = tuple(rules)
        self._drops = [rule.action == DROP for rule in rules]
        self._patterns = [rule.name_pattern() for rule in rules]
        self._packets = [0] * len(rules)
        self._forward = [number for number, rule in enumerate(rules) if rule.direction == FORWARD]
        self._accept = [number for number, rule in enumerate(rules) if rule.direction != FORWARD]
        self._pairs: dict[bytes, int] = {}
        self._services: dict[tuple[bytes, int, int], int] = {}
        self._flows: OrderedDict[tuple[bytes, int, int], float] = OrderedDict()
        self.has_forward = bool(self._forward)
        self.has_accept = bool(self._accept)

    def forwards(self, packet: bytes, *_between: Neighbour) -> bool:
        """Whether a MESHP packet may pass between two others."""
        ends = packet[_ENDS]
        rule = self._pairs.get(ends)
        if rule is None:
            rule = self._first_forward(ends)
        return self._count(rule, "policy-forward")

    def accepts(self, key: bytes, packet: bytes, now: float) -> bool:
        """Whether an IPv6 packet out of a peer's session (its key), or of a group's origin, may reach this host."""
        begun = opening(packet[6], packet[40:])
        if begun is None:
            self._env.counters.drop("policy-short")
            return False
        if begun is PASSES or (begun.protocol == UDP and self._answers(packet[8:24], begun, now)):
            return True
        service = key, begun.protocol, begun.port
        rule = self._services.get(service)
        if rule is None:
            rule = _remember(self._services, service, self._first_accept(*service))
        return self._count(rule, "policy-accept")

    def sent(self, packet: bytes, now: float) -> None:
        """This host sends an IPv6 packet to a peer: a datagram may be answered."""
        if packet[6] != UDP or len(packet) < 44:
            return
        flow = packet[24:40], int.from_bytes(packet[40:42], "big"), int.from_bytes(packet[42:44], "big")
        self._flows[flow] = now
        self._flows.move_to_end(flow)
        if len(self._flows) > MOST_FLOWS:
            self._flows.popitem(last=False)

    def forget(self) -> None:
        """The directory has learnt something."""
        self._pairs.clear()
        self._services.clear()

    def counts(self) -> list[tuple[str, int]]:
        """Every rule as text, and how many packets it has decided."""
        return [(str(rule), packets) for rule, packets in zip(self._rules, self._packets, strict=True)]

    def _answers(self, peer: bytes, begun: Opening, now: float) -> bool:
        when = self._flows.get((peer, begun.port, begun.peer_port))
        return when is not None and now - when <= FLOW_LIFE

    def _count(self, rule: int, word: str) -> bool:
        if rule == _NONE:
            return True
        self._packets[rule] += 1
        if self._drops[rule]:
            self._env.counters.drop(word)
        return not self._drops[rule]

    def _first_forward(self, ends: bytes) -> int:
        """Remembered once both keys are known: before, the directory would not tell when that makes a difference."""
        keys = self._key_of(ends[2:16]), self._key_of(ends[18:32])
        parties = [self._party(key, zone) for key, zone in zip(keys, (ends[:2], ends[16:18]), strict=True)]
        rule = next((n for n in self._forward if any(self._fits(n, name, zone) for name, zone in parties)), _NONE)
        return rule if None in keys else _remember(self._pairs, ends, rule)

    def _first_accept(self, key: bytes, protocol: int, port: int) -> int:
        name, zone = self._party(key, self._env.zone.to_bytes(2, "big"))
        for number in self._accept:
            rule = self._rules[number]
            fits = rule.protocol in (None, protocol) and (rule.ports is None or rule.ports[0] <= port <= rule.ports[1])
            if fits and self._fits(number, name, zone):
                return number
        return _NONE

    def _party(self, key: bytes | None, zone: bytes) -> tuple[str | None, int]:
        """Name and zone as the ledger has them; the packet's zone for who has none there."""
        said = int.from_bytes(zone, "big")
        if key is None:
            return None, said
        binding = self._directory.binding(key)
        return binding.name, said if binding.zone is None else binding.zone

    def _fits(self, number: int, name: str | None, zone: int) -> bool:
        rule, pattern = self._rules[number], self._patterns[number]
        return rule.zone in (None, zone) and (pattern is None or _is_called(pattern, name))


def _is_called(pattern: Pattern[str], name: str | None) -> bool:
    return name is not None and pattern.match(name) is not None


def _remember(table: dict[K, int], subject: K, rule: int) -> int:
    if len(table) >= MOST_KNOWN:
        table.clear()
    table[subject] = rule
    return rule
