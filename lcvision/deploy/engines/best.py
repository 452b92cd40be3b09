"""The quickest of several engines, found by measuring them and remembered."""
import dataclasses
import logging
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import nn

from lcvision.deploy.engines.engine import Engine, EngineError, Prepared
from lcvision.deploy.engines.engine_cache import EngineCache, conditions
from lcvision.deploy.output_check import OutputCheck, objection
from lcvision.timing.rounds import Budget, measure_rounds
from lcvision.timing.statistics import noise_reasons

_BUDGET = Budget(samples=60, max_seconds=5., warmup_seconds=3.)
_LOGGER = logging.getLogger('lcvision')


class BestEngine(Engine):
    """Runs each network on the engine that is the quickest for it here; ``select_engines('best')`` makes it.

    The first time it meets a network's structure at a size, precision and number of threads, all candidates are
    measured in interleaved rounds and their outputs checked; later the choice is looked up. A choice made while the
    machine was busy is not remembered. Outputs depend on the weights and are checked every time.

    Args:
        candidates: Installed engines.
        fresh: Whether to measure although the choice is known.
        cache: Remembers the choices; None for the user's.
    """

    name = 'best'
    chooses = True

    def __init__(self, candidates: Sequence[Engine], fresh: bool = False, cache: EngineCache | None = None):
        self.candidates = {engine.name: engine for engine in candidates}
        self.fresh = fresh
        self.cache = EngineCache() if cache is None else cache
        self.precisions = tuple(dict.fromkeys(name for engine in candidates for name in engine.precisions))

    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Prepares the network on its best engine and names that in the result."""
        engines = [engine for engine in self.candidates.values() if precision in engine.precisions]
        state = conditions(network, example, precision=precision, threads=threads, engines=engines)
        known = None if self.fresh else self.cache.get(state)
        if known in self.candidates:
            try:
                return _checked(self.candidates[known], network, example, precision, threads)
            except EngineError as error:
                _LOGGER.warning(f'engine {known}, the quickest so far, is not used: {error}')
        ready, failures = [], []
        for engine in engines:
            if self.progress:
                self.progress(f'{threads} thread(s): choosing the best engine, preparing {engine.name}')
            try:
                ready.append(_checked(engine, network, example, precision, threads))
            except EngineError as error:
                failures.append(f'{engine.name}: {error}')
        if not ready:
            raise EngineError('; '.join(failures) or f'no engine installed runs in {precision}')
        series = measure_rounds([partial(prepared.run, prepared.example) for prepared in ready], _BUDGET)
        medians = [float(np.median(one.samples_ms)) for one in series]
        best = ready[int(np.argmin(medians))]
        noise = dict.fromkeys(reason for one in series for reason in noise_reasons(one, threads))
        if noise:
            _LOGGER.warning(f"engine {best.engine} is the quickest now, which is not remembered: {', '.join(noise)}")
        else:
            self.cache.put(state, str(best.engine), {str(prepared.engine): round(median, 4) for prepared, median in
                                                     zip(ready, medians, strict=True)})
        return best


def _checked(engine: Engine, network: nn.Module, example: torch.Tensor, precision: str, threads: int) -> Prepared:
    prepared = engine.prepare(network, example, precision=precision, threads=threads)
    reason = objection(OutputCheck(network, example).difference(prepared.run, prepared.example)[1], precision)
    if reason:
        raise EngineError(reason)
    return dataclasses.replace(prepared, engine=engine.name)
