"""A network prepared for the sizes of input that occur."""
import logging
import time
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import torch
from mmengine.logging import print_log
from torch import nn

from lcvision.deploy.engines import ENGINES, Engine, EngineError, Prepared
from lcvision.deploy.network import example_input
from lcvision.errors import UserError

# Engines that compile do so for one size; this many stay.
_SIZES = 4
_ANY_SIZE = 'eager'


class SizedNetworks:
    """One engine's network for each size of input, made when a size is asked for; those of the last four sizes stay.

    The engine 'eager' takes any size without being prepared for it. 'best' chooses among engines for the first four
    sizes and takes 'eager' for further ones, for which a choice would take far longer than it could save.
    """

    def __init__(self, network: nn.Module, engine: Engine, precision: str, threads: int):
        self.network, self.engine = network, engine
        self._settings: dict[str, Any] = dict(precision=precision, threads=threads)
        self._prepared: OrderedDict[tuple[int, int], Prepared] = OrderedDict()
        self._any_size: Prepared | None = None
        self._times = 0
        self._names: dict[str, None] = {}

    @property
    def engine_name(self) -> str:
        """The engine, or those that an engine that chooses among others has chosen so far."""
        return ' and '.join(self._names) or self.engine.name

    def __call__(self, size: tuple[int, int]) -> Prepared:
        """The network for an input of this height and width, or a UserError; called in :func:`predicting`."""
        if size not in self._prepared:
            if len(self._prepared) == _SIZES:
                self._prepared.popitem(last=False)
            try:
                any_size = self.engine.name == _ANY_SIZE or (self.engine.chooses and self._times >= _SIZES)
                self._prepared[size] = self._eager(size) if any_size else self._prepare(size)
            except EngineError as error:
                raise UserError(f'engine {self.engine.name!r} cannot run this network at {size[0]}x{size[1]}: {error}; '
                                "take another, 'eager' runs every network") from error
            self._names[self._prepared[size].engine or self.engine.name] = None
        self._prepared.move_to_end(size)
        return self._prepared[size]

    def _prepare(self, size: tuple[int, int]) -> Prepared:
        start = time.monotonic()
        prepared = self.engine.prepare(self.network, example_input(size), **self._settings)
        self._times += 1
        if self._times == _SIZES + 1:
            print_log(f'The images have many sizes, and {self.engine.name} is prepared for each of them, which took '
                      f'{time.monotonic() - start:.1f} s for the last; the engine {_ANY_SIZE!r} takes any size.',
                      logger='current', level=logging.WARNING)
        return prepared

    def _eager(self, size: tuple[int, int]) -> Prepared:
        if self._any_size is None:
            engine, settings = ENGINES[_ANY_SIZE], self._settings
            if settings['precision'] not in engine.precisions:
                settings = {**settings, 'precision': engine.precisions[0]}
            self._any_size = replace(engine.prepare(self.network, example_input(size), **settings), engine=_ANY_SIZE)
        known = self._any_size
        layout = torch.contiguous_format if known.example.is_contiguous() else torch.channels_last
        return replace(known, example=torch.empty((1, 3, *size)).contiguous(memory_format=layout))
