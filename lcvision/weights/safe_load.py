"""Reads files of weights as data: nothing in them is ever executed."""
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.runner import CheckpointLoader
from safetensors import safe_open
from torch import Tensor

from lcvision.errors import UserError
from lcvision.files import check_unpacked
from lcvision.text import listing
from lcvision.weights.paddle_unpickler import PaddleUnpickler, RefusedGlobal, plain

TORCH_SUFFIXES = ('.pth', '.pt', '.bin', '.ckpt')
PADDLE_SUFFIXES = ('.pdparams', '.npz')
_GLOBAL = re.compile(r'GLOBAL\s+([\w.]+)')
# mmengine takes the first scheme whose "prefix" matches as a regular expression, in reversed alphabetical order: remote
# schemes come before this one and the empty prefix of plain files after it.
_LOCAL_SAFETENSORS = r'(?![\w+.-]+://).*\.safetensors$'


def load_state_dict_file(path: str | Path) -> dict[str, Tensor]:
    """The tensors that :func:`load_checkpoint_file` reads."""
    return load_checkpoint_file(path)[0]


def load_checkpoint_file(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Reads the tensors of a ``.safetensors`` or torch file and what a training run noted with them.

    Args:
        path: File; of an mmengine checkpoint its ``state_dict`` is taken. A leading ``module.``, as data-parallel
            wrappers write it, is removed from the names.

    Returns:
        Name to tensor on the CPU; and of an mmengine checkpoint its ``meta``, plain data, else an empty dict.

    Raises:
        UserError: The file is missing, torn, of an unknown format, holds no tensors or infinite ones, or asks to run
            code.
    """
    path = existing_file(path)
    if path.suffix == '.safetensors':
        return _read_safetensors(path)[0], {}
    if path.suffix not in TORCH_SUFFIXES:
        raise UserError(f'{path} has the unknown suffix {path.suffix!r}: weights are read from .safetensors, '
                        f'{", ".join(TORCH_SUFFIXES)}; convert others with lcvision convert.')
    loaded = _read_torch(path, 'cpu')
    state = loaded.get('state_dict', loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict) or not state or not all(map(_is_weight, state.keys(), state.values())):
        raise _no_weights(path)
    _require_finite(path, state)
    meta = loaded.get('meta') if state is not loaded else None
    return ({name.removeprefix('module.'): value.detach() for name, value in state.items()},
            meta if isinstance(meta, dict) else {})


@CheckpointLoader.register_scheme('', force=True)
def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Has mmengine read torch files as data, and leaves out ``meta['config']``, which it executes when it resumes."""
    loaded = _read_torch(existing_file(filename), map_location)
    if isinstance(loaded, dict) and isinstance(loaded.get('meta'), dict):
        loaded['meta'].pop('config', None)
    return loaded


@CheckpointLoader.register_scheme(_LOCAL_SAFETENSORS, force=True)
def load_from_safetensors(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Lets mmengine read a local ``.safetensors`` file wherever it takes a checkpoint: ``load_from``, ``Pretrained``.

    Returns ``state_dict``, on the CPU unless ``map_location`` names a device, and ``meta`` with the file's metadata
    under one key, ``safetensors``.
    """
    state, metadata = _read_safetensors(existing_file(filename))
    if map_location is not None and not callable(map_location):
        state = {name: tensor.to(map_location) for name, tensor in state.items()}
    return dict(meta=dict(safetensors=metadata), state_dict=state)


def read_paddle(path: str | Path) -> dict[str, Any]:
    """Reads a Paddle state dict: Paddle's name to array, and the entries that Paddle adds for its own use.

    Args:
        path: ``.pdparams`` (a pickle, of which only arrays of numbers and plain containers are admitted) or ``.npz``
            (read without pickle; where names start with ``param/`` only those are taken, without it).

    Raises: as :func:`load_checkpoint_file`.
    """
    path = existing_file(path)
    if path.suffix not in PADDLE_SUFFIXES:
        raise UserError(f'{path} has the unknown suffix {path.suffix!r}: Paddle weights are read from '
                        f'{" and ".join(PADDLE_SUFFIXES)}.')
    check_unpacked(path)
    with _reading(path), path.open('rb') as file:
        named = _read_npz(path) if path.suffix == '.npz' else plain(PaddleUnpickler(file).load())
    named = named if isinstance(named, dict) else {}
    arrays = {name: value for name, value in named.items() if isinstance(value, np.ndarray)}
    if not arrays or not all(isinstance(name, str) for name in named):
        raise UserError(f'{path} holds no weights: expected a dictionary of named arrays, as paddle.save writes of '
                        'a state_dict; give the .pdparams of a model.')
    _require_finite(path, arrays)
    return named


def existing_file(path: str | Path) -> Path:
    """The path of a file that is there, with ``~`` expanded; else a :class:`UserError`."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise UserError(f'There is no weights file {path}: give the path of an existing file.')
    return path


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turns whatever a reader raises at a torn or crafted file into a sentence."""
    try:
        yield
    except Exception as error:  # any byte may be wrong, and so may any exception be
        text = str(error)
        found = _GLOBAL.search(text)
        name = found[1] if found else 'a pickle' if 'allow_pickle' in text else ''
        if isinstance(error, RefusedGlobal) or name:
            raise UserError(f'{path} asks to run {name or text}, which no weights need, and was not opened: such a '
                            'file can execute anything; get the weights as .safetensors or from a source that saves '
                            'plain tensors.') from error
        size = path.stat().st_size
        state = f'({size} bytes) cannot be read' if size else 'is empty'
        reason = text.strip().partition('\n')[0].partition('. ')[0].rstrip('.')
        if len(reason) < 10 or reason.startswith('Weights only'):  # a bare key, or torch's advice to load unsafely
            reason = 'its content is not what its name promises'
        raise UserError(f'{path} {state}: {reason}; most likely a copy or a save was interrupted: copy it again, or '
                        'take an earlier checkpoint.') from error


def _no_weights(path: Path) -> UserError:
    return UserError(f'{path} holds no weights: expected a dictionary of named, dense tensors, or one under '
                     '"state_dict"; give a checkpoint saved by lcvision train or lcvision convert.')


def _is_weight(name: object, value: object) -> bool:
    return (isinstance(name, str) and isinstance(value, Tensor) and value.layout is torch.strided
            and not value.is_quantized and not value.is_meta)


def _is_finite(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind not in 'fc' or bool(np.isfinite(value).all())
    # Numbers of eight bits know no isfinite.
    return bool((value.float() if value.element_size() == 1 else value).isfinite().all())


def _require_finite(path: Path, state: dict[str, Any]) -> None:
    wrong = [name for name, value in state.items() if not _is_finite(value)]
    if wrong:
        raise UserError(f'{path} is not usable: {len(wrong)} of its {len(state)} tensors hold NaN or infinite numbers '
                        f'({listing(wrong, 3)}), as after a training that diverged; take an earlier checkpoint.')


def _read_torch(path: Path, map_location: Any) -> Any:
    check_unpacked(path)
    with _reading(path):
        loaded = torch.load(path, map_location=map_location, weights_only=True)
    tensors, seen, left = [], set(), [loaded]
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Tensor):
            tensors.append(one)
        elif isinstance(one, dict | list | tuple):
            left += one.values() if isinstance(one, dict) else one
    # A tensor may say that its one number is a billion.
    check_unpacked(path, sum(one.numel() * one.element_size() for one in tensors))
    return loaded


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with _reading(path), safe_open(path, framework='pt', device='cpu') as file:
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = dict(file.metadata() or {})
    if not state:
        raise _no_weights(path)
    _require_finite(path, state)
    return state, metadata


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        names = [name for name in file.files if name.startswith('param/')] or file.files
        return {name.removeprefix('param/'): file[name] for name in names}
