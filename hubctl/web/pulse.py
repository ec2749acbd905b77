"""Pulse: whether the process lives and is ready, as its controller leaves it and another thread reads it.

Single values that are replaced whole, so that nothing has to be locked.
"""

from collections.abc import Callable
from dataclasses import dataclass

LONGEST = 120.0
"""Seconds without a turn of the controller's loop after which it is stuck; rendering a large fleet takes some."""


@dataclass(slots=True)
class Pulse:
    """Of one process.

    Attributes:
        clock: seconds that only grow.
        last: the clock at the loop's last turn.
        configured: the files were read once; the last good ones count when they are wrong later.
        stored: the store was usable when it was needed last.
        leading: this process may act; another one that stands by is as ready.
    """

    clock: Callable[[], float]
    last: float
    configured: bool = False
    stored: bool = False
    leading: bool = True

    def beat(self) -> None:
        """The loop turned."""
        self.last = self.clock()

    @property
    def alive(self) -> bool:
        """Whether the loop turned lately."""
        return self.clock() - self.last <= LONGEST

    @property
    def checks(self) -> dict[str, str]:
        """What readiness rests on, without any detail of why."""
        return {
            "configuration": "ok" if self.configured else "not read yet",
            "store": ("ok" if self.stored else "not usable") if self.leading else "not needed",
            "leadership": "leading" if self.leading else "standing by",
        }

    @property
    def ready(self) -> bool:
        """Whether passes can be made here, or could if it were this process's turn."""
        return self.configured and (self.stored or not self.leading)
