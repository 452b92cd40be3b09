"""Where units run: child processes of this one, or a Ray cluster."""
from typing import Protocol

from lcvision.search.unit import Ending


class Executor(Protocol):
    """Runs units; which ones, and what follows from them, is not its business."""

    def free(self, threads: int) -> bool:
        """Whether there is room for a unit of so many threads."""

    def start(self, unit: str, threads: int) -> None:
        """Begins a unit, by name."""

    def poll(self) -> list[tuple[str, Ending]]:
        """Units that have ended since the last call."""

    def close(self) -> None:
        """Ends all that runs."""
