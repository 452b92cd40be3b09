"""Maps Paddle's weights onto the models of this package."""
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lcvision.weights.conversion import NOT_PART, ConversionError, ConversionReport, fit, is_whole
from lcvision.weights.paddle_names import HEAD_PREFIXES, rename

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
        ValueError: ``dropout`` is no probability.

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
    """As :func:`convert`, but returns the tensors that fit, and what became of each."""
    if not 0 <= dropout < 1:
        raise ValueError(f'dropout is the probability of dropping, in [0, 1), but got {dropout}')
    report, named = ConversionReport(), {}
    whole = is_whole(model.state_dict())
    for name, value in named_arrays.items():
        reason = _reason_to_drop(name, value, named_arrays, whole)
        if reason:
            report.dropped[name] = reason
        elif value.dtype.kind != 'f':
            report.unexpected.append(f'{name} (holds {value.dtype}, not floating-point numbers)')
        else:
            named[name] = _tensor(value)
    # Paddle's networks have a dropout only behind the expanding layer.
    if dropout and {'last_conv.weight', 'fc.weight'} <= named.keys():
        named['fc.weight'] *= 1 - dropout
        report.notes.append(f'fc.weight is multiplied by {1 - dropout:g}: Paddle scales by it in evaluation, the '
                            'standard dropout does not')
    return fit(named, model, rename, report), report


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
    return NOT_PART if not whole and name.startswith(HEAD_PREFIXES) else None


def _tensor(array: np.ndarray) -> Tensor:
    # A matrix is always a linear layer: every convolution keeps its four dimensions.
    return torch.from_numpy(np.array(array.T if array.ndim == 2 else array, dtype=np.float32, order='C'))
