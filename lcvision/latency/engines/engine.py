"""What the measuring core asks of a way to run a network."""
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

Outputs = tuple[torch.Tensor, ...]


class EngineError(RuntimeError):
    """An engine that is installed could not prepare or run this network, or runs it wrongly."""


@dataclass
class Prepared:
    """A network ready to run; calling it runs it.

    Args:
        run: (1, 3, H, W) -> flat tuple of output tensors.
        example: The input in the memory layout that ``run`` prefers, allocated once.
        first_ms: Milliseconds of the first inference, after any compilation.
        compile_s: Seconds of compilation; None where nothing is compiled.
        layout: Memory layout of the activations, where the engine leaves a choice.
    """

    run: Callable[[torch.Tensor], Outputs]
    example: torch.Tensor
    first_ms: float
    compile_s: float | None = None
    layout: str | None = None

    def __call__(self, x: torch.Tensor) -> Outputs:
        """Runs one inference."""
        return self.run(x)


class Engine(ABC):
    """One way to run a network on a CPU."""

    name: str
    precisions: tuple[str, ...] = ('fp32',)

    @abstractmethod
    def missing(self) -> str | None:
        """Why it cannot be used here and what would mend that; None when it can."""

    @abstractmethod
    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Makes a network ready; called in inference mode with the number of threads already set.

        Args:
            network: In eval mode, float32, not fused; it must stay as it is.
            example: (1, 3, H, W) input of the size that will be measured.
            precision: One of ``precisions``.
            threads: Threads it will run with.

        Raises:
            EngineError: This network cannot be prepared.
        """
