"""Token buckets: what may happen at a rate, with some saved up. Times are running seconds."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """Full at first. A clock that runs backwards earns nothing."""

    per_second: float
    burst: float
    tokens: float = field(init=False)
    when: float | None = field(init=False, default=None)
    """Filled up to then; None before the first use."""

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def has(self, amount: float, now: float) -> bool:
        last = now if self.when is None else self.when
        self.tokens = min(self.burst, self.tokens + self.per_second * max(0.0, now - last))
        self.when = max(now, last)
        return self.tokens >= amount

    def spend(self, amount: float, now: float) -> bool:
        """Take ``amount`` if it is there."""
        if not self.has(amount, now):
            return False
        self.tokens -= amount
        return True
