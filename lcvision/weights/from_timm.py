"""Maps timm's LCNet and HGNetV2 weights, and torch files with the names of this package, onto its models."""
import re
from collections.abc import Mapping

from torch import Tensor, nn

from lcvision.weights.conversion import ConversionReport, fit, is_whole

_BLOCK = re.compile(r'blocks\.(\d{1,3})\.(\d{1,3})\.(.+)\.(\w+)')
_LAYERS = {'conv_dw': 'dw.conv', 'bn1': 'dw.bn', 'conv_pw': 'pw.conv', 'bn2': 'pw.bn',
           'se.conv_reduce': 'se.reduce', 'se.conv_expand': 'se.expand'}
_OUTSIDE = {'conv_stem': 'backbone.stem.conv', 'bn1': 'backbone.stem.bn', 'conv_head': 'head.expand',
            'classifier': 'head.fc'}
_STAGE_DEPTHS = (1, 2, 2, 6, 2)
_HEAD_BIAS = 'conv_head.bias'
_HGNET_STEM = {'1': 'stem', '2a': 'stages.0.first', '2b': 'stages.0.second', '3': 'stages.0.down',
               '4': 'stages.0.project'}
_HGNET_HEAD = {'last_conv.0': 'expand', 'last_conv.2': 'act', 'fc': 'fc'}
_HGNET = re.compile(r'(?:stem\.stem(?P<stem>1|2a|2b|3|4)|stages\.(?P<stage>\d)\.(?:downsample|'
                    r'blocks\.(?P<block>\d\d?)\.(?:layers\.(?P<layer>\d)(?:\.conv(?P<part>[12]))?|aggregation\.(?P<last>[01]))))\.'
                    r'(?P<kind>conv|bn|lab)|head\.(?P<head>last_conv\.0|last_conv\.2|fc)')


def is_timm(names: Mapping[str, object]) -> bool:
    """Whether a state dict names the stem and the first block as timm's LCNet or HGNetV2 does."""
    return {'conv_stem.weight', 'blocks.0.0.conv_dw.weight'} <= names.keys() or 'stem.stem1.conv.weight' in names


def convert_with_report(named: Mapping[str, Tensor], model: nn.Module) -> tuple[dict[str, Tensor], ConversionReport]:
    """Tensors of timm's ``lcnet_*`` or ``hgnetv2_*`` that fit a classifier or its backbone, and what became of each.

    Differs: timm's 1280-wide convolution has a bias, which PP-LCNet has not. A bias of zeros is dropped; any other
        makes a classifier refuse the file, because no other weight can stand for it behind the hard-swish. The backbone
        takes such a file.
    """
    report, named, own = ConversionReport(), dict(named), model.state_dict()
    if 'stem.stem1.conv.weight' in named:
        return fit(named, model, rename_hgnet, report), report
    if _HEAD_BIAS in named and is_whole(own) and 'head.expand.bias' not in own:
        if named.pop(_HEAD_BIAS).any():
            report.unexpected.append(f"{_HEAD_BIAS} (PP-LCNet's head has no bias there and no other weight can stand "
                                     'for it: convert the backbone alone)')
        else:
            report.dropped[_HEAD_BIAS] = 'all zeros, and the head has no bias there'
    # timm cuts the thirteen blocks into six stages and PP-LCNet into five: only their order is common to both.
    theirs = sorted({(int(m[1]), int(m[2])) for m in map(_BLOCK.fullmatch, named) if m})
    ours = [(stage, index) for stage, depth in enumerate(_STAGE_DEPTHS) for index in range(depth)]
    places = dict(zip(theirs, ours, strict=False))

    def rename(name: str) -> str | None:
        if match := _BLOCK.fullmatch(name):
            place = places.get((int(match[1]), int(match[2])))
            known = place and match[3] in _LAYERS
            return f'backbone.stages.{place[0]}.{place[1]}.{_LAYERS[match[3]]}.{match[4]}' if place and known else None
        module, _, leaf = name.rpartition('.')
        return f'{_OUTSIDE[module]}.{leaf}' if module in _OUTSIDE else None

    return fit(named, model, rename, report), report


def rename_hgnet(name: str) -> str | None:
    """Our name of a tensor of timm's HGNetV2; None if no rule fits."""
    module, _, leaf = name.rpartition('.')
    leaf = 'weight' if leaf == 'scale' else leaf
    match = _HGNET.fullmatch(module)
    if not match:
        return None
    if match['head']:
        return f"head.{_HGNET_HEAD[match['head']]}.{leaf}"
    place = _HGNET_STEM[match['stem']] if match['stem'] else _hgnet_place(match)
    kind = 'activate' if match['kind'] == 'lab' else match['kind']
    return f'backbone.{place}.{kind}.{leaf}'


def _hgnet_place(match: re.Match) -> str:
    # Our first stage is the rest of the stem, and the others but their first begin with the convolution of stride 2.
    stage, block = int(match['stage']) + 1, match['block']
    if block is None:
        return f'stages.{stage}.0'
    place = f'stages.{stage}.{int(block) + (stage > 1)}'
    if match['last']:
        return f"{place}.{('squeeze', 'excite')[int(match['last'])]}"
    return f"{place}.layers.{match['layer']}" + (f".{int(match['part']) - 1}" if match['part'] else '')


def convert_own(named: Mapping[str, Tensor], model: nn.Module) -> tuple[dict[str, Tensor], ConversionReport]:
    """Takes a file that already has the names of this package; a backbone alone takes that of a whole model."""
    report = ConversionReport()
    prefix = '' if is_whole(named) or is_whole(model.state_dict()) else 'backbone.'
    return fit(named, model, lambda name: prefix + name, report), report
