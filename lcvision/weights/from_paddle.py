"""Maps Paddle's weights onto the models of this package."""
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lcvision.weights.mapping import assemble
from lcvision.weights.paddle_names import HEAD_PREFIXES, rename
from lcvision.weights.report import ConversionError, ConversionReport

_UNUSED = {
    'StructuredToParameterName@@': "Paddle's own index of names",
    'head.distribution_project.project': 'the constants 0, 1, 2, ..., which the head makes itself',
}


def convert(named_arrays: Mapping[str, Any], model: nn.Module, dropout: float = 0.2) -> dict[str, Tensor]:
    """Maps a Paddle state dict onto a model.

    Args:
        named_arrays: Paddle's name to array, of a PPLCNet or MobileNetV3 classifier, one of the three PicoDets or a
            DeepLabV3P with either backbone.
        model: The model built from our config: a classifier, detector or segmentor, or a backbone alone, which takes
            its part of any of these files.
        dropout: Probability with which the file's classifier was trained.

    Returns:
        A complete state dict of ``model``, in float32.

    Raises:
        ConversionError: The file does not fit; it carries the missing, unexpected and misshapen names.

    Source:
        Names and layouts of PaddleClas, PaddleDetection and PaddleSeg; running statistics are ``_mean`` and
        ``_variance``, linear layers are stored (in, out).

    Differs:
        Paddle's classifiers scale by 1 - p in evaluation instead of by 1 / (1 - p) in training; folded into the
        weight of the last layer, the standard dropout behaves the same in both.
    """
    state, report = convert_with_report(named_arrays, model, dropout)
    if not report.complete:
        raise ConversionError(report)
    return state


def convert_with_report(named_arrays: Mapping[str, Any], model: nn.Module,
                        dropout: float = 0.2) -> tuple[dict[str, Tensor], ConversionReport]:
    """Maps a Paddle state dict onto a model and tells what became of each tensor.

    Args:
        named_arrays: As for :func:`convert`.
        model: As for :func:`convert`.
        dropout: As for :func:`convert`.

    Returns:
        The tensors that fit, and the report.

    Raises:
        ValueError: ``dropout`` is no probability.
    """
    if not 0 <= dropout < 1:
        raise ValueError(f'dropout is the probability of dropping, in [0, 1), but got {dropout}')
    report = ConversionReport()
    own = model.state_dict()
    whole = any(name.startswith('backbone.') for name in own)
    candidates: dict[str, tuple[str, Tensor]] = {}
    for name, value in named_arrays.items():
        reason = _reason_to_drop(name, value, named_arrays, whole)
        if reason:
            report.dropped[name] = reason
            continue
        target = rename(name)
        if target is None:
            report.unexpected.append(name)
            continue
        target = target if whole else target.removeprefix('backbone.')
        if target in candidates:
            report.unexpected.append(f'{name} (has the place of {candidates[target][0]})')
        elif value.dtype.kind != 'f':
            report.unexpected.append(f'{name} (holds {value.dtype}, not floating-point numbers)')
        else:
            candidates[target] = name, _tensor(value)
    _fold_dropout(candidates, named_arrays, dropout, report)
    return assemble(candidates, own, report), report


def _reason_to_drop(name: str, value: Any, named: Mapping[str, Any], whole: bool) -> str | None:
    if name in _UNUSED:
        return _UNUSED[name]
    if name.startswith('head.p') and name.endswith('_feat.scale_reg'):
        return 'a leftover that the reference never uses'
    twin = name.replace('head.head_cls_list.', 'head.head_cls').replace('head.head_reg_list.', 'head.head_reg')
    if twin != name and twin in named:
        return 'a second name of head.head_cls* and head.head_reg*'
    if not isinstance(value, np.ndarray):
        return 'not an array'
    if not whole and name.startswith(HEAD_PREFIXES):
        return 'not part of this model'
    return None


def _tensor(array: np.ndarray) -> Tensor:
    # A matrix is always a linear layer: every convolution keeps its four dimensions.
    array = array.T if array.ndim == 2 else array
    return torch.from_numpy(np.array(array, dtype=np.float32, order='C'))


def _fold_dropout(candidates: dict[str, tuple[str, Tensor]], named: Mapping[str, Any], dropout: float,
                  report: ConversionReport) -> None:
    # Paddle's networks have a dropout only behind the expanding layer.
    if 'last_conv.weight' not in named or 'head.fc.weight' not in candidates or not dropout:
        return
    name, weight = candidates['head.fc.weight']
    candidates['head.fc.weight'] = name, weight * (1 - dropout)
    report.notes.append(f'{name} is multiplied by {1 - dropout:g}: Paddle scales by it in evaluation, the standard '
                        'dropout does not')
