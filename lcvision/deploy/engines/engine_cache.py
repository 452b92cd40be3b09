"""Remembers which engine was the quickest, so that a machine measures it once."""
import hashlib
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from lcvision import environment
from lcvision.deploy.engines.engine import Engine
from lcvision.files import locked, write_atomically

_SCHEMA = 1
_LOGGER = logging.getLogger('lcvision')


class EngineCache:
    """Choices in a JSON file; one that cannot be read or written is named in a warning, and the engines are measured.

    Args:
        path: The file; None takes ``lcvision/best_engine.json`` in XDG_CACHE_HOME or ``~/.cache``, and remembers
            nothing where there is no home folder either.
    """

    def __init__(self, path: str | Path | None = None):
        self.path = Path(path) if path else _default_path()

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
        if not isinstance(choices, dict) or not all(map(_is_choice, choices.values())):
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
        'engines': sorted(engine.name for engine in engines),
        'network': structure_hash(network),
        'input': list(example.shape[-2:]),
        'precision': precision,
        'threads': threads,
    }


def structure_hash(network: nn.Module) -> str:
    """First 16 hex digits of the SHA-256 of a network's modules and the shapes of its weights."""
    shapes = [(name, list(tensor.shape)) for name, tensor in network.state_dict().items()]
    return hashlib.sha256(f'{network}\n{shapes}'.encode()).hexdigest()[:16]


def _key(conditions: dict) -> str:
    return hashlib.sha256(json.dumps(conditions, sort_keys=True).encode()).hexdigest()[:16]


def _is_choice(choice: object) -> bool:
    return isinstance(choice, dict) and isinstance(choice.get('engine'), str)


def _default_path() -> Path | None:
    folder = Path(os.environ.get('XDG_CACHE_HOME', ''))
    if not folder.is_absolute():  # the specification says that a relative path is to be ignored
        try:
            folder = Path('~/.cache').expanduser()
        except RuntimeError:  # a user without a home, as in many a container
            return None
    return folder / 'lcvision' / 'best_engine.json'
