"""Token buckets: what may happen at a rate, with some saved up. Times are running seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """Tokens a second, and how many can be saved up."""

    per_second: float
    burst: float


@dataclass(slots=True)
class Bucket:
    """Full, if not said otherwise. ``tokens`` may be raised above the burst: such a credit stays until it is spent."""

    rate: Rate
    tokens: float = -1.0
    when: float | None = None
    """Filled up to then; None: since it is used."""

    def __post_init__(self) -> None:
        if self.tokens < 0:
            self.tokens = self.rate.burst

    def has(self, amount: float, now: float) -> bool:
        last = now if self.when is None else self.when
        earned = self.rate.per_second * max(0.0, now - last)
        self.tokens = max(self.tokens, min(self.rate.burst, self.tokens + earned))
        self.when = max(now, last)
        return self.tokens >= amount

    def spend(self, amount: float, now: float) -> bool:
        """Take ``amount`` if it is there."""
        if not self.has(amount, now):
            return False
        self.tokens -= amount
        return True

    def refund(self, amount: float) -> float:
        """Give back, up to the burst. Returns what did not fit."""
        taken = min(amount, max(0.0, self.rate.burst - self.tokens))
        self.tokens += taken
        return amount - taken
