"""Maps Paddle's weights onto the models of this package, by one table of names for each part of a network."""
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lcvision.weights.conversion import NOT_PART, ConversionError, ConversionReport, fit, is_whole

_UNUSED = {'StructuredToParameterName@@': "Paddle's own index of names",
           'head.distribution_project.project': 'the constants 0, 1, 2, ..., which the head makes itself'}
# Beginnings of Paddle's names that are not part of a backbone.
_HEAD_PREFIXES = ('neck.', 'head.', 'last_second_conv.', 'last_conv.', 'fc.')

# A pattern for Paddle's name of a module, and ours.
_Rule = tuple[str, str | Callable[[re.Match], str]]
_SE = {'1': 'reduce', '2': 'expand'}
_KIND = {'conv': 'conv', 'norm': 'bn', '_conv': 'conv', '_batch_norm': 'bn'}
_MOBILE = {'expand_conv': 'expand', 'bottleneck_conv': 'dw', 'linear_conv': 'project'}
_LIGHT = {'dwconv': 'dw.conv', 'bn1': 'dw.bn', 'pwconv': 'pw.conv', 'bn2': 'pw.bn'}
_DEEPLAB = {'aspp.global_avg_pool.1': 'aspp.image_pool', 'aspp.conv_bn_relu': 'aspp.project',
            'decoder.conv_bn_relu1': 'low_level', 'decoder.conv_bn_relu2': 'fuse.0', 'decoder.conv_bn_relu3': 'fuse.1'}
# Paddle spells it so.
_SEPARABLE = {'depthwise_conv.': 'depthwise_conv.', 'piontwise_conv.': 'pointwise_conv.', None: ''}
_DP = r'(dwconv|bn1|pwconv|bn2)'


def _mobile_block(match: re.Match) -> str:
    # PaddleDetection and PaddleSeg of 2021 count the stem as conv1, so that the first block is conv2.
    index = int(match['old']) - 2 if match['old'] else int(match['new'])
    layer = f'se.{_SE[match["se"]]}' if match['se'] else f'{_MOBILE[match["conv"]]}.{match["kind"]}'
    return f'blocks.{index}.{layer}.'


def _deeplab_layer(match: re.Match) -> str:
    part = f'aspp.branches.{match["branch"]}' if match['branch'] else _DEEPLAB[match['part']]
    return f'{part}.{_SEPARABLE[match["separable"]]}{_KIND[match["kind"]]}.'


_PPLCNET: tuple[_Rule, ...] = (
    (r'conv1\.(conv|bn)\.', r'stem.\1.'),
    (r'blocks([2-6])\.(\d+)\.(dw|pw)_conv\.(conv|bn)\.', lambda m: f'stages.{int(m[1]) - 2}.{m[2]}.{m[3]}.{m[4]}.'),
    (r'blocks([2-6])\.(\d+)\.se\.conv([12])\.', lambda m: f'stages.{int(m[1]) - 2}.{m[2]}.se.{_SE[m[3]]}.'),
)
_PPLCNET_V2: tuple[_Rule, ...] = (
    (r'stem\.0\.(conv|bn)\.', r'stem.0.\1.'),
    (r'(stem\.1|stages\.\d\.\d+)\.(dw|pw)_conv\.(conv|bn)\.', r'\1.\2.\3.'),
    (r'(stages\.\d\.\d+)\.dw_conv_list\.(\d)\.(conv|bn)\.', r'\1.dw.branches.\2.\3.'),
    (r'(stages\.\d\.\d+)\.pw_conv_([12])\.(conv|bn)\.', lambda m: f'{m[1]}.pw.{int(m[2]) - 1}.{m[3]}.'),
    (r'(stages\.\d\.\d+)\.se\.conv([12])\.', lambda m: f'{m[1]}.se.{_SE[m[2]]}.'),
)
_MOBILENET_V3: tuple[_Rule, ...] = (
    (r'conv1?\.(conv|bn)\.', r'stem.\1.'),
    (r'(?:conv(?P<old>\d+)|blocks\.(?P<new>\d+))\.'
     r'(?:mid_se\.conv(?P<se>[12])|(?P<conv>expand_conv|bottleneck_conv|linear_conv)\.(?P<kind>conv|bn))\.',
     _mobile_block),
)
_CLASSIFIER: tuple[_Rule, ...] = (
    (r'last_second_conv\.(conv|bn)\.', r'conv.\1.'), (r'last_conv\.', 'expand.'), (r'fc\.', 'fc.'))
_PICODET_NECK: tuple[_Rule, ...] = (
    (r'pan_lateral(\d)\.', r'laterals.\1.'),
    (r'conv_t\.convs\.(\d)\.(conv|bn)\.', r'laterals.\1.\2.'),
    (rf'(first|second)_top_conv\.{_DP}\.', lambda m: f'{m[1]}_top.{_LIGHT[m[2]]}.'),
    (rf'downsamples\.(\d)\.{_DP}\.', lambda m: f'downsamples.{m[1]}.{_LIGHT[m[2]]}.'),
    (r'(top_down|bottom_up)_blocks\.(\d)\.(main|short|final)_conv\.(conv|bn)\.', r'\1.\2.\3.\4.'),
    (r'(top_down|bottom_up)_blocks\.(\d)\.blocks\.(\d)\.conv1\.(conv|bn)\.', r'\1.\2.blocks.\3.reduce.\4.'),
    (rf'(top_down|bottom_up)_blocks\.(\d)\.blocks\.(\d)\.conv2\.{_DP}\.',
     lambda m: f'{m[1]}.{m[2]}.blocks.{m[3]}.{_LIGHT[m[4]]}.'),
    (r'(top_down|bottom_up)_blocks\.(\d)\.(\d)\.(dw|pw)_conv\.(conv|bn)\.', r'\1.\2.\3.\4.\5.'),
)
_PICODET_HEAD: tuple[_Rule, ...] = (
    (r'conv_feat\.cls_conv_(dw|pw)(\d)\.(\d)\.(conv|norm)\.', lambda m: f'towers.{m[2]}.{m[3]}.{m[1]}.{_KIND[m[4]]}.'),
    (r'head_cls(?:_list\.)?(\d)\.', r'predictors.\1.'),
    (r'head_reg(?:_list\.)?(\d)\.', r'reg_predictors.\1.'),
    (rf'cls_align\.(\d)\.{_DP}\.', lambda m: f'cls_align.{m[1]}.{_LIGHT[m[2]]}.'),
    (r'conv_feat\.se\.(\d)\.fc\.', r'se.\1.fc.'),
    (r'conv_feat\.se\.(\d)\.conv\.(conv|norm)\.', lambda m: f'se.{m[1]}.conv.{_KIND[m[2]]}.'),
)
_DEEPLAB_HEAD: tuple[_Rule, ...] = (
    (rf'(?:aspp\.aspp_blocks\.(?P<branch>\d+)|(?P<part>{"|".join(map(re.escape, _DEEPLAB))}))\.'
     r'(?P<separable>(?:depth|piont)wise_conv\.)?(?P<kind>_conv|_batch_norm)\.', _deeplab_layer),
    (r'decoder\.conv\.', 'conv_seg.'),
)
_PARTS: tuple[tuple[str, str, tuple[_Rule, ...]], ...] = (
    ('neck.', 'neck.', _PICODET_NECK),
    ('head.', 'bbox_head.', _PICODET_HEAD),
    ('head.', 'decode_head.', _DEEPLAB_HEAD),
    ('backbone.', 'backbone.', _PPLCNET + _PPLCNET_V2 + _MOBILENET_V3),
    ('', 'backbone.', _PPLCNET + _PPLCNET_V2 + _MOBILENET_V3),
    ('', 'head.', _CLASSIFIER),
)
_STATISTICS = {'_mean': 'running_mean', '_variance': 'running_var'}
_LEAVES = {'weight', 'bias', *_STATISTICS}


def convert(named_arrays: Mapping[str, Any], model: nn.Module, dropout: float = 0.2) -> dict[str, Tensor]:
    """Maps a Paddle state dict onto a model; returns a complete state dict of it, in float32.

    Args:
        named_arrays: Paddle's name to array, of a PPLCNet, PPLCNetV2 or MobileNetV3 classifier, one of the three
            PicoDets or a DeepLabV3P with any of these backbones.
        model: The model built from our config, or a backbone alone, which takes its part of any of these files.
        dropout: Probability with which the file's classifier was trained; a ValueError if it is none.

    Raises:
        ConversionError: The file does not fit.

    Source: names and layouts of PaddleClas, PaddleDetection and PaddleSeg; running statistics are ``_mean`` and
        ``_variance``, linear layers are stored (in, out).

    Differs: Paddle's classifiers scale by 1 - p in evaluation instead of by 1 / (1 - p) in training; folded into the
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
            # A matrix is always a linear layer: every convolution keeps its four dimensions.
            turned = value.T if value.ndim == 2 else value
            named[name] = torch.from_numpy(np.array(turned, dtype=np.float32, order='C'))
    # Paddle's networks have a dropout only behind the expanding layer.
    if dropout and {'last_conv.weight', 'fc.weight'} <= named.keys():
        named['fc.weight'] *= 1 - dropout
        report.notes.append(f'fc.weight is multiplied by {1 - dropout:g}: Paddle scales by it in evaluation, the '
                            'standard dropout does not')
    return fit(named, model, rename, report), report


def rename(name: str) -> str | None:
    """Our name of a tensor of Paddle's PPLCNet, PPLCNetV2, MobileNetV3, PicoDet or DeepLabV3P; None if no rule fits."""
    module, _, leaf = name.rpartition('.')
    if leaf not in _LEAVES:
        return None
    for prefix, ours, rules in _PARTS:
        if not name.startswith(prefix):
            continue
        for pattern, replacement in rules:
            if match := re.fullmatch(pattern, f'{module.removeprefix(prefix)}.'):
                renamed = match.expand(replacement) if isinstance(replacement, str) else replacement(match)
                return f'{ours}{renamed}{_STATISTICS.get(leaf, leaf)}'
    return None


def _reason_to_drop(name: str, value: Any, named: Mapping[str, Any], whole: bool) -> str | None:
    if name in _UNUSED:
        return _UNUSED[name]
    if name.startswith('head.p') and name.endswith('_feat.scale_reg'):
        return 'a leftover that the reference never uses'
    if re.fullmatch(r'(backbone\.)?stages\.\d\.\d+\.dw_conv\.(weight|bias)', name):
        return 'a folded kernel, which Paddle fills only for inference'
    twin = name.replace('head.head_cls_list.', 'head.head_cls').replace('head.head_reg_list.', 'head.head_reg')
    if twin != name and twin in named:
        return 'a second name of head.head_cls* and head.head_reg*'
    if not isinstance(value, np.ndarray):
        return 'not an array'
    return NOT_PART if not whole and name.startswith(_HEAD_PREFIXES) else None
