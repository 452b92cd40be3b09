"""Puts renamed tensors beside the names and shapes of a model."""
from collections.abc import Mapping

import torch
from torch import Tensor

from lcvision.weights.report import ConversionReport, Misshapen

_COUNTER = 'num_batches_tracked'


def assemble(candidates: Mapping[str, tuple[str, Tensor]], own: Mapping[str, Tensor],
             report: ConversionReport) -> dict[str, Tensor]:
    """Keeps the tensors that fit a model and reports the others.

    Args:
        candidates: Name in the model to name in the file and tensor.
        own: The model's state dict, of which names and shapes are used.
        report: Completed in place.

    Returns:
        The tensors that fit, in the model's order; counters of batches, which only some files hold, are zero where
        they are absent.
    """
    report.unexpected += [name for target, (name, _) in candidates.items() if target not in own]
    state: dict[str, Tensor] = {}
    for target, value in own.items():
        if target not in candidates:
            if target.endswith(_COUNTER):
                state[target] = torch.zeros_like(value, device='cpu')
            else:
                report.missing.append(target)
            continue
        name, tensor = candidates[target]
        if tensor.shape != value.shape:
            report.misshapen.append(Misshapen(f'{name} -> {target}', tuple(tensor.shape), tuple(value.shape)))
            continue
        report.mapped[name] = target
        state[target] = tensor.to(value.dtype).contiguous()
    return state
