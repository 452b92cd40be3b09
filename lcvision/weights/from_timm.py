"""Maps timm's LCNet weights, and torch files with the names of this package, onto its models."""
import re
from collections.abc import Mapping

from torch import Tensor, nn

from lcvision.weights.mapping import assemble
from lcvision.weights.report import ConversionError, ConversionReport

_BLOCK = re.compile(r'blocks\.(\d{1,3})\.(\d{1,3})\.(.+)\.(\w+)')
_LAYERS = {'conv_dw': 'dw.conv', 'bn1': 'dw.bn', 'conv_pw': 'pw.conv', 'bn2': 'pw.bn',
           'se.conv_reduce': 'se.reduce', 'se.conv_expand': 'se.expand'}
_OUTSIDE = {'conv_stem': 'backbone.stem.conv', 'bn1': 'backbone.stem.bn', 'conv_head': 'head.expand',
            'classifier': 'head.fc'}
_STAGE_DEPTHS = (1, 2, 2, 6, 2)
_HEAD_BIAS = 'conv_head.bias'


def is_timm(names: Mapping[str, object]) -> bool:
    """Tells timm's LCNet by its names.

    Args:
        names: A state dict.

    Returns:
        Whether the stem and the first block are named as timm names them.
    """
    return 'conv_stem.weight' in names and 'blocks.0.0.conv_dw.weight' in names


def convert(named: Mapping[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Maps timm's LCNet onto a model.

    Args:
        named: State dict of ``lcnet_*``.
        model: A classifier with PP-LCNet, or the backbone alone.

    Returns:
        A complete state dict of ``model``.

    Raises:
        ConversionError: The file does not fit.

    Differs:
        timm's 1280-wide convolution has a bias, which PP-LCNet has not. A bias of zeros is dropped; any other makes a
        classifier refuse the file, because no other weight can stand for it behind the hard-swish. The backbone takes
        such a file.
    """
    state, report = convert_with_report(named, model)
    if not report.complete:
        raise ConversionError(report)
    return state


def convert_with_report(named: Mapping[str, Tensor], model: nn.Module) -> tuple[dict[str, Tensor], ConversionReport]:
    """Maps timm's LCNet onto a model and tells what became of each tensor.

    Args:
        named: As for :func:`convert`.
        model: As for :func:`convert`.

    Returns:
        The tensors that fit, and the report.
    """
    report = ConversionReport()
    own = model.state_dict()
    whole = any(name.startswith('backbone.') for name in own)
    places = _places(named)
    candidates: dict[str, tuple[str, Tensor]] = {}
    for name, tensor in named.items():
        target = _rename(name, places)
        if target is None:
            report.unexpected.append(name)
        elif not whole and target.startswith('head.'):
            report.dropped[name] = 'not part of this model'
        elif name == _HEAD_BIAS and target not in own:
            _report_head_bias(tensor, report)
        else:
            target = target if whole else target.removeprefix('backbone.')
            candidates[target] = name, tensor.detach().cpu()
    return assemble(candidates, own, report), report


def convert_own(named: Mapping[str, Tensor], model: nn.Module) -> tuple[dict[str, Tensor], ConversionReport]:
    """Takes a file that already has the names of this package, as a checkpoint of a run has.

    Args:
        named: State dict.
        model: The model it is for; a backbone alone takes the backbone of a whole model.

    Returns:
        The tensors that fit, and the report.
    """
    report = ConversionReport()
    own = model.state_dict()
    part = not any(name.startswith('backbone.') for name in own) and any(name.startswith('backbone.') for name in named)
    candidates: dict[str, tuple[str, Tensor]] = {}
    for name, tensor in named.items():
        if part and not name.startswith('backbone.'):
            report.dropped[name] = 'not part of this model'
        else:
            candidates[name.removeprefix('backbone.') if part else name] = name, tensor.detach().cpu()
    return assemble(candidates, own, report), report


def _report_head_bias(bias: Tensor, report: ConversionReport) -> None:
    if not bias.any():
        report.dropped[_HEAD_BIAS] = 'all zeros, and the head has no bias there'
    else:
        report.unexpected.append(f"{_HEAD_BIAS} (PP-LCNet's head has no bias there and no other weight can stand for "
                                 'it: convert the backbone alone)')


def _places(named: Mapping[str, Tensor]) -> dict[tuple[int, int], tuple[int, int]]:
    # timm cuts the thirteen blocks into six stages and PP-LCNet into five: only their order is common to both.
    theirs = sorted({(int(m[1]), int(m[2])) for m in map(_BLOCK.fullmatch, named) if m})
    ours = [(stage, index) for stage, depth in enumerate(_STAGE_DEPTHS) for index in range(depth)]
    return dict(zip(theirs, ours, strict=False))


def _rename(name: str, places: Mapping[tuple[int, int], tuple[int, int]]) -> str | None:
    match = _BLOCK.fullmatch(name)
    if match:
        place = places.get((int(match[1]), int(match[2])))
        if place is None or match[3] not in _LAYERS:
            return None
        return f'backbone.stages.{place[0]}.{place[1]}.{_LAYERS[match[3]]}.{match[4]}'
    module, _, leaf = name.rpartition('.')
    return f'{_OUTSIDE[module]}.{leaf}' if module in _OUTSIDE else None
