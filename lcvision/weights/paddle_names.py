"""Paddle's names and ours: one table of rules for each part of a network."""
import re
from collections.abc import Callable

Rule = tuple[str, str | Callable[[re.Match], str]]

HEAD_PREFIXES = ('neck.', 'head.', 'last_second_conv.', 'last_conv.', 'fc.')
"""Beginnings of the names, as Paddle gives them, that are no part of a backbone."""

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


PPLCNET: tuple[Rule, ...] = (
    (r'conv1\.(conv|bn)\.', r'stem.\1.'),
    (r'blocks([2-6])\.(\d+)\.(dw|pw)_conv\.(conv|bn)\.', lambda m: f'stages.{int(m[1]) - 2}.{m[2]}.{m[3]}.{m[4]}.'),
    (r'blocks([2-6])\.(\d+)\.se\.conv([12])\.', lambda m: f'stages.{int(m[1]) - 2}.{m[2]}.se.{_SE[m[3]]}.'),
)
MOBILENET_V3: tuple[Rule, ...] = (
    (r'conv1?\.(conv|bn)\.', r'stem.\1.'),
    (r'(?:conv(?P<old>\d+)|blocks\.(?P<new>\d+))\.'
     r'(?:mid_se\.conv(?P<se>[12])|(?P<conv>expand_conv|bottleneck_conv|linear_conv)\.(?P<kind>conv|bn))\.',
     _mobile_block),
)
CLASSIFIER: tuple[Rule, ...] = (
    (r'last_second_conv\.(conv|bn)\.', r'conv.\1.'), (r'last_conv\.', 'expand.'), (r'fc\.', 'fc.'))
PICODET_NECK: tuple[Rule, ...] = (
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
PICODET_HEAD: tuple[Rule, ...] = (
    (r'conv_feat\.cls_conv_(dw|pw)(\d)\.(\d)\.(conv|norm)\.', lambda m: f'towers.{m[2]}.{m[3]}.{m[1]}.{_KIND[m[4]]}.'),
    (r'head_cls(?:_list\.)?(\d)\.', r'predictors.\1.'),
    (r'head_reg(?:_list\.)?(\d)\.', r'reg_predictors.\1.'),
    (rf'cls_align\.(\d)\.{_DP}\.', lambda m: f'cls_align.{m[1]}.{_LIGHT[m[2]]}.'),
    (r'conv_feat\.se\.(\d)\.fc\.', r'se.\1.fc.'),
    (r'conv_feat\.se\.(\d)\.conv\.(conv|norm)\.', lambda m: f'se.{m[1]}.conv.{_KIND[m[2]]}.'),
)
DEEPLAB_HEAD: tuple[Rule, ...] = (
    (rf'(?:aspp\.aspp_blocks\.(?P<branch>\d+)|(?P<part>{"|".join(map(re.escape, _DEEPLAB))}))\.'
     r'(?P<separable>(?:depth|piont)wise_conv\.)?(?P<kind>_conv|_batch_norm)\.', _deeplab_layer),
    (r'decoder\.conv\.', 'conv_seg.'),
)
_PARTS: tuple[tuple[str, str, tuple[Rule, ...]], ...] = (
    ('neck.', 'neck.', PICODET_NECK),
    ('head.', 'bbox_head.', PICODET_HEAD),
    ('head.', 'decode_head.', DEEPLAB_HEAD),
    ('backbone.', 'backbone.', PPLCNET + MOBILENET_V3),
    ('', 'backbone.', PPLCNET + MOBILENET_V3),
    ('', 'head.', CLASSIFIER),
)
_STATISTICS = {'_mean': 'running_mean', '_variance': 'running_var'}
_LEAVES = {'weight', 'bias', *_STATISTICS}


def rename(name: str) -> str | None:
    """The name that a tensor of Paddle's PPLCNet, MobileNetV3, PicoDet or DeepLabV3P has here; None if no rule fits."""
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
