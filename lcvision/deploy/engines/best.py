"""The quickest of several engines, found by measuring them and remembered, so that a machine does it once."""
import dataclasses
import hashlib
import json
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lcvision import environment
from lcvision.deploy.engines.engine import Engine, EngineError, Prepared
from lcvision.deploy.output_check import OutputCheck, objection
from lcvision.files import cache_folder, locked, write_atomically
from lcvision.timing.rounds import Budget, measure_rounds
from lcvision.timing.statistics import noise_reasons

_SCHEMA = 1
_BUDGET = Budget(samples=60, max_seconds=5., warmup_seconds=3.)
_LOGGER = logging.getLogger('lcvision')


class BestEngine(Engine):
    """Runs each network on the engine that is the quickest for it here; ``select_engines('best')`` makes it.

    The first time it meets a network's structure at a size, precision and number of threads, all candidates are
    measured in interleaved rounds and their outputs checked; later, unless ``fresh`` is set, the choice is looked up.
    A choice made while the machine was busy is not remembered. Outputs depend on the weights and are checked every
    time.
    """

    name = 'best'
    chooses = True

    def __init__(self, candidates: Sequence[Engine], fresh: bool = False, cache: 'EngineCache | None' = None):
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
                return prepare_checked(self.candidates[known], network, example, precision, threads)
            except EngineError as error:
                _LOGGER.warning(f'engine {known}, the quickest so far, is not used: {error}')
        ready, failures = [], []
        for engine in engines:
            if self.progress:
                self.progress(f'{threads} thread(s): choosing the best engine, preparing {engine.name}')
            try:
                ready.append(prepare_checked(engine, network, example, precision, threads))
            except EngineError as error:
                failures.append(f'{engine.name}: {error}')
        if not ready:
            raise EngineError('; '.join(failures) or f'no engine installed runs in {precision}')
        series = measure_rounds([partial(prepared.run, prepared.example) for prepared in ready], _BUDGET)
        medians = [float(np.median(one.samples_ms)) for one in series]
        best = ready[int(np.argmin(medians))]
        noise = dict.fromkeys(reason for one in series for reason in noise_reasons(one, threads))
        if noise:
            _LOGGER.warning(f"engine {best.engine} is the quickest now, but is not remembered: {', '.join(noise)}")
        else:
            self.cache.put(state, str(best.engine), {str(prepared.engine): round(median, 4) for prepared, median in
                                                     zip(ready, medians, strict=True)})
        return best


def prepare_checked(engine: Engine, network: nn.Module, example: torch.Tensor, precision: str,
                    threads: int) -> Prepared:
    """Prepares a network on an engine; an EngineError if it does not compute what the network is."""
    prepared = engine.prepare(network, example, precision=precision, threads=threads)
    reason = objection(OutputCheck(network, example).difference(prepared.run, prepared.example)[1], precision)
    if reason:
        raise EngineError(reason)
    return dataclasses.replace(prepared, engine=engine.name)


class EngineCache:
    """Choices in a JSON file; one that cannot be read or written is named in a warning, and the engines are measured.

    It is ``lcvision/best_engine.json`` in XDG_CACHE_HOME or ``~/.cache`` unless ``path`` is given; where there is no
    home folder either, nothing is remembered.
    """

    def __init__(self, path: str | Path | None = None):
        folder = cache_folder()
        self.path = Path(path) if path else folder and folder / 'best_engine.json'

    def get(self, conditions: dict) -> str | None:
        """The engine chosen under these :func:`conditions`; None where none was."""
        choice = self._read().get(_key(conditions))
        return choice['engine'] if choice else None

    def put(self, conditions: dict, engine: str, medians_ms: dict[str, float]) -> None:
        """Remembers a choice, and for a reader of the file the time of each engine."""
        if self.path is None:
            return
        choice = {'engine': engine, 'medians_ms': medians_ms, 'conditions': conditions}
        try:
            with locked(self.path):
                content = {'schema': _SCHEMA, 'choices': {**self._read(), _key(conditions): choice}}
                write_atomically(self.path, (json.dumps(content, indent=1) + '\n').encode())
        except OSError as error:
            _LOGGER.warning(f'the choice of engine is not remembered: {self.path} cannot be written ({error.strerror})')

    def _read(self) -> dict[str, dict]:
        if self.path is None:
            return {}
        try:
            content = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            _LOGGER.warning(f'the remembered engines are not used: {self.path} cannot be read ({error})')
            return {}
        choices = content.get('choices') if isinstance(content, dict) and content.get('schema') == _SCHEMA else None
        if not isinstance(choices, dict) or not all(isinstance(choice, dict) and isinstance(choice.get('engine'), str)
                                                    for choice in choices.values()):
            _LOGGER.warning(f'the remembered engines are not used: {self.path} is not what this version writes')
            return {}
        return choices


def conditions(network: nn.Module, example: torch.Tensor, *, precision: str, threads: int,
               engines: Sequence[Engine]) -> dict:
    """Everything that decides which of the engines is the quickest, as plain JSON.

    The structure of the network and the size of the example count. The values of the weights do not: they do not change
    the time, and a network in training has new ones after every epoch.
    """
    versions = environment.versions()
    runtimes = [name for engine in engines for name in engine.packages[:1]]
    return {
        **environment.fingerprint(),
        'versions': {name: versions.get(name) for name in ('torch', 'lcvision', *runtimes)},
        'engines': sorted(engine.name for engine in engines), 'network': structure_hash(network),
        'input': list(example.shape[-2:]), 'precision': precision, 'threads': threads,
    }


def structure_hash(network: nn.Module) -> str:
    """First 16 hex digits of the SHA-256 of a network's modules and the shapes of its weights."""
    shapes = [(name, list(tensor.shape)) for name, tensor in network.state_dict().items()]
    return hashlib.sha256(f'{network}\n{shapes}'.encode()).hexdigest()[:16]


def _key(conditions: dict) -> str:
    return hashlib.sha256(json.dumps(conditions, sort_keys=True).encode()).hexdigest()[:16]
