"""A network prepared for the sizes of input that turn up."""
from dataclasses import replace

import torch
from torch import nn

from lcvision.errors import UserError
from lcvision.latency.engines import ENGINES, Engine, EngineError, Prepared
from lcvision.latency.network import example_input

# Engines that compile do it for one size.
_PREPARED_SIZES = 4
_ANY_SIZE = 'eager'


class SizedNetworks:
    """One engine's network for each size of input, made when a size is first asked for.

    After four sizes further ones run on the engine 'eager', which takes any size without being prepared for it.

    Args:
        network: In eval mode, float32.
        engine: How it is run.
        precision: One that the engine has.
        threads: Threads it runs with.
    """

    def __init__(self, network: nn.Module, engine: Engine, precision: str, threads: int):
        self.network = network
        self.engine = engine
        self._precision = precision
        self._threads = threads
        self._prepared: dict[tuple[int, int], Prepared] = {}
        self._any_size: Prepared | None = None

    @property
    def engine_name(self) -> str:
        """The engine, or the one that an engine which chooses among others has chosen last."""
        chosen = [prepared.engine for prepared in self._prepared.values() if prepared.engine]
        return chosen[-1] if chosen else self.engine.name

    def __call__(self, size: tuple[int, int]) -> Prepared:
        """The network for an input of this height and width; called under the conditions of prediction.

        Raises:
            UserError: The engine cannot run it.
        """
        if size not in self._prepared:
            few = len(self._prepared) < _PREPARED_SIZES
            try:
                self._prepared[size] = (self._prepare(size) if few and self.engine.name != _ANY_SIZE
                                        else self._eager(size))
            except EngineError as error:
                raise UserError(f'engine {self.engine_name!r} cannot run this network at {size[0]}x{size[1]}: {error}; '
                                "take another, 'eager' runs every network") from error
        return self._prepared[size]

    def _prepare(self, size: tuple[int, int]) -> Prepared:
        return self.engine.prepare(self.network, example_input(size), precision=self._precision,
                                   threads=self._threads)

    def _eager(self, size: tuple[int, int]) -> Prepared:
        if self._any_size is None:
            engine = ENGINES[_ANY_SIZE]
            precision = self._precision if self._precision in engine.precisions else engine.precisions[0]
            self._any_size = engine.prepare(self.network, example_input(size), precision=precision,
                                            threads=self._threads)
        known = self._any_size
        layout = torch.contiguous_format if known.example.is_contiguous() else torch.channels_last
        return replace(known, example=torch.empty((1, 3, *size)).contiguous(memory_format=layout))
