"""The quickest of several engines, found by measuring them and remembered."""
import dataclasses
import logging
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import nn

from lcvision.deploy.engine_cache import EngineCache, conditions
from lcvision.deploy.engines.engine import Engine, EngineError, Prepared
from lcvision.deploy.output_check import OutputCheck, objection
from lcvision.latency.measure import Budget, measure_rounds
from lcvision.latency.statistics import noise_reasons

_BUDGET = Budget(samples=60, max_seconds=5., warmup_seconds=3.)
_LOGGER = logging.getLogger('lcvision')


class BestEngine(Engine):
    """Runs each network on the engine that is the quickest for it here.

    All candidates are measured in interleaved rounds, with their outputs checked, the first time that a network of one
    structure is met at one size, precision and number of threads; later the choice is looked up. A choice made while
    the machine was busy is not remembered. Outputs are checked every time, since they depend on the weights.

    Args:
        candidates: Installed engines.
        fresh: Whether to measure although the choice is known.
        cache: Where choices are kept.
        progress: Told what is going on; measuring may take a minute where an engine compiles.
    """

    name = 'best'
    chooses = True

    def __init__(self, candidates: Sequence[Engine], fresh: bool = False, cache: EngineCache | None = None,
                 progress: Callable[[str], None] | None = None):
        self.candidates = {engine.name: engine for engine in candidates}
        self.fresh = fresh
        self.cache = EngineCache() if cache is None else cache
        self.progress = progress
        self.precisions = tuple(dict.fromkeys(name for engine in candidates for name in engine.precisions))

    def missing(self) -> str | None:
        """It chooses among those that are there."""
        return None

    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Prepares the network on its best engine and names that in the result."""
        engines = [engine for engine in self.candidates.values() if precision in engine.precisions]
        state = conditions(network, example, precision=precision, threads=threads, engines=engines)
        known = None if self.fresh else self.cache.get(state)
        if known in self.candidates:
            try:
                return self._passed(self.candidates[known], network, example, precision, threads)
            except EngineError as error:
                _LOGGER.warning(f'engine {known}, the quickest so far, is not used: {error}')
        ready, failures = [], []
        for engine in engines:
            if self.progress:
                self.progress(f'{threads} thread(s): choosing the best engine, preparing {engine.name}')
            try:
                ready.append(self._passed(engine, network, example, precision, threads))
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

    def _passed(self, engine: Engine, network: nn.Module, example: torch.Tensor, precision: str,
                threads: int) -> Prepared:
        prepared = engine.prepare(network, example, precision=precision, threads=threads)
        reason = objection(OutputCheck(network, example).difference(prepared.run, prepared.example)[1], precision)
        if reason:
            raise EngineError(reason)
        return dataclasses.replace(prepared, engine=engine.name)
