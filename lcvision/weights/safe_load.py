"""Reads files of weights as data: nothing in them is ever executed."""
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from lcvision.errors import UserError
from lcvision.text import listing
from lcvision.weights.paddle_unpickler import PaddleUnpickler, RefusedGlobal, plain

TORCH_SUFFIXES = ('.pth', '.pt', '.bin', '.ckpt')
PADDLE_SUFFIXES = ('.pdparams', '.npz')
_GLOBAL = re.compile(r'GLOBAL\s+([\w.]+)')


def load_state_dict_file(path: str | Path) -> dict[str, Tensor]:
    """Reads the tensors of a ``.safetensors`` or torch file.

    Args:
        path: File; of an mmengine checkpoint its ``state_dict`` is taken. A leading ``module.``, as data-parallel
            wrappers write it, is removed from the names.

    Returns:
        Name to tensor on the CPU.

    Raises:
        UserError: The file is missing, torn, of an unknown format, holds no tensors or infinite ones, or asks to run
            code.
    """
    return load_checkpoint_file(path)[0]


def load_checkpoint_file(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Reads the tensors of a file and what a training run noted beside them.

    Args:
        path: As of :func:`load_state_dict_file`.

    Returns:
        Name to tensor on the CPU; and of an mmengine checkpoint its ``meta``, plain data, else an empty dict.

    Raises:
        UserError: As of :func:`load_state_dict_file`.
    """
    path = existing_file(path)
    if path.suffix == '.safetensors':
        return _read_safetensors(path)[0], {}
    if path.suffix not in TORCH_SUFFIXES:
        raise UserError(f'{path} has the unknown suffix {path.suffix!r}: weights are read from .safetensors, '
                        f'{", ".join(TORCH_SUFFIXES)}; convert others with tools/convert_weights.py.')
    loaded = load_torch_file(path)
    state = loaded.get('state_dict', loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict) or not state or not all(map(_is_weight, state.keys(), state.values())):
        raise UserError(f'{path} holds no weights: expected a dictionary of named, dense tensors, or one under '
                        '"state_dict"; give a checkpoint saved by tools/train.py or tools/convert_weights.py.')
    _require_finite(path, [name for name, value in state.items() if not _is_finite(value)], len(state))
    meta = loaded.get('meta') if state is not loaded else None
    return ({name.removeprefix('module.'): value.detach() for name, value in state.items()},
            meta if isinstance(meta, dict) else {})


def load_torch_file(path: str | Path) -> Any:
    """Reads a file written by ``torch.save`` with ``weights_only=True``, and never without it.

    Args:
        path: File.

    Returns:
        The object saved, its tensors on the CPU.

    Raises:
        UserError: The file is missing, torn, or asks for a class or function that weights do not need.
    """
    path = existing_file(path)
    try:
        return torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # torch answers a bad file with RuntimeError, OSError, EOFError, KeyError, ...
        refused = _GLOBAL.search(str(error))
        raise (_refused(path, refused[1]) if refused else torn(path, error)) from error


def load_safetensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Reads a ``.safetensors`` file.

    Args:
        path: File.

    Returns:
        Name to tensor on the CPU, and the metadata of the file.

    Raises:
        UserError: The file is missing or torn, or a number in it is not finite.
    """
    return _read_safetensors(existing_file(path))


def read_paddle(path: str | Path) -> dict[str, Any]:
    """Reads a Paddle state dict.

    Args:
        path: ``.pdparams`` (a pickle, of which only arrays of numbers and plain containers are admitted) or ``.npz``
            (read without pickle; where names start with ``param/`` only those are taken, without it).

    Returns:
        Paddle's name to array, and whatever entries for its own use Paddle put beside them.

    Raises:
        UserError: The file is missing, torn, of an unknown format, holds no arrays or infinite ones, or asks to run
            code.
    """
    path = existing_file(path)
    if path.suffix not in PADDLE_SUFFIXES:
        raise UserError(f'{path} has the unknown suffix {path.suffix!r}: Paddle weights are read from '
                        f'{" and ".join(PADDLE_SUFFIXES)}.')
    named = _read_npz(path) if path.suffix == '.npz' else _read_pdparams(path)
    named = named if isinstance(named, dict) else {}
    arrays = {name: value for name, value in named.items() if isinstance(value, np.ndarray)}
    if not arrays or not all(isinstance(name, str) for name in named):
        raise UserError(f'{path} holds no weights: expected a dictionary of named arrays, as paddle.save writes of '
                        'a state_dict; give the .pdparams of a model.')
    _require_finite(path, [name for name, value in arrays.items() if not np.isfinite(value).all()], len(arrays))
    return named


def existing_file(path: str | Path) -> Path:
    """Checks that a file is there.

    Args:
        path: File; ``~`` is expanded.

    Returns:
        The path.

    Raises:
        UserError: There is no such file.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise UserError(f'There is no weights file {path}: give the path of an existing file.')
    return path


def torn(path: Path, error: Exception) -> UserError:
    """Describes a file that cannot be read.

    Args:
        path: The file.
        error: What its reader said.

    Returns:
        The error to raise, with name, size and remedy.
    """
    size = path.stat().st_size
    state = 'is empty' if not size else f'({size} bytes) cannot be read'
    reason = str(error).strip().partition('\n')[0].partition('. ')[0].rstrip('.')
    if len(reason) < 10 or reason.startswith('Weights only'):  # a bare key, or torch's advice to load unsafely
        reason = 'its content is not what its name promises'
    return UserError(f'{path} {state}: {reason}; most likely a copy or a save was interrupted: copy it again, or take '
                     'an earlier checkpoint.')


def _refused(path: Path, name: str) -> UserError:
    return UserError(f'{path} asks to run {name}, which no weights need, and was not opened: '
                     'such a file can execute anything; get the weights as .safetensors or from a source that saves '
                     'plain tensors.')


def _is_weight(name: object, value: object) -> bool:
    return (isinstance(name, str) and isinstance(value, Tensor) and value.layout is torch.strided
            and not value.is_quantized and not value.is_meta)


def _is_finite(tensor: Tensor) -> bool:
    # Numbers of eight bits know no isfinite.
    return bool((tensor.float() if tensor.element_size() == 1 else tensor).isfinite().all())


def _require_finite(path: Path, wrong: list[str], count: int) -> None:
    if wrong:
        raise UserError(f'{path} is not usable: {len(wrong)} of its {count} tensors hold NaN or infinite numbers '
                        f'({listing(wrong, 3)}), as after a training that diverged; take an earlier checkpoint.')


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework='pt', device='cpu') as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise torn(path, error) from error
    _require_finite(path, [name for name, value in state.items() if not _is_finite(value)], len(state))
    return state, metadata


def _read_pdparams(path: Path) -> Any:
    with path.open('rb') as file:
        try:
            return plain(PaddleUnpickler(file).load())
        except RefusedGlobal as error:
            raise _refused(path, str(error)) from error
        except Exception as error:  # any byte may be wrong in a torn pickle, and so may any exception be
            raise torn(path, error) from error


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            names = [name for name in file.files if name.startswith('param/')] or file.files
            return {name.removeprefix('param/'): file[name] for name in names}
    except Exception as error:  # zipfile.BadZipFile, ValueError, EOFError, OSError, zlib.error, ...
        raise (_refused(path, 'a pickle') if 'allow_pickle' in str(error) else torn(path, error)) from error
