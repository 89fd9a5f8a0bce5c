"""What the machine keeps of one adjacency beside what everybody may read of it (``neighbour``)."""

from dataclasses import dataclass, field

from meshrouter.neighbours.ground import Port
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.neighbours.pulse import Pulse
from meshrouter.neighbours.session import LinkSession
from meshrouter.neighbours.watch import Watch
from meshrouter.tokens import Bucket


@dataclass(eq=False, slots=True)
class Bond:
    """``sessions``: all that are open, oldest first; which of them we send on, ``neighbour`` tells."""

    neighbour: Neighbour
    port: Port
    sessions: list[LinkSession] = field(default_factory=list)
    pulse: Pulse = field(default_factory=Pulse)
    watch: Watch = field(default_factory=Watch)
    hurried: float = 0.0
    """Until then HELLOs are sent often."""
    answers: Bucket = field(default_factory=lambda: Bucket(10.0, 5.0))
    """HELLOs that are sent because it asks for one at once."""
    redirects: Bucket = field(default_factory=lambda: Bucket(1.0, 8.0))
    """REDIRECTs of it that are followed."""
    hints: Bucket = field(default_factory=lambda: Bucket(1.0, 1.0))
    """NOSESSIONs in its name that are acted upon."""
