"""Lets mmengine read ``.safetensors`` wherever it takes a checkpoint: ``load_from``, ``Pretrained``, test tools."""
from typing import Any

from mmengine.runner import CheckpointLoader

from lcvision.weights.safe_load import load_safetensors

# mmengine takes the first scheme whose "prefix" matches as a regular expression, in reversed alphabetical order: remote
# schemes come before this one and the empty prefix of plain files after it.
LOCAL_SAFETENSORS = r'(?![\w+.-]+://).*\.safetensors$'


def load_from_safetensors(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Reads a local ``.safetensors`` file in the form of an mmengine checkpoint.

    Args:
        filename: File.
        map_location: Device the tensors go to; None and callables leave them on the CPU.

    Returns:
        ``state_dict``, and ``meta`` with the file's metadata under ``safetensors``.

    Raises:
        UserError: The file is missing or torn.

    Differs:
        The metadata stay below one key: mmengine executes the entry ``meta['config']`` of a checkpoint it resumes.
    """
    state, metadata = load_safetensors(filename)
    if map_location is not None and not callable(map_location):
        state = {name: tensor.to(map_location) for name, tensor in state.items()}
    return dict(meta=dict(safetensors=metadata), state_dict=state)


def register() -> None:
    """Adds the scheme to mmengine's loader; again is harmless."""
    CheckpointLoader.register_scheme(LOCAL_SAFETENSORS, load_from_safetensors, force=True)
