"""EfficientNet-eLite and EfficientNet-HF."""
import math
from collections.abc import Sequence
from dataclasses import dataclass

from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.backbones.base import Backbone
from lcvision.models.layers import InvertedResidual, make_divisible
from lcvision.registry import MODELS

_STEM_WIDTH, _HEAD_WIDTH = 32, 1280
# One tuple a stage: (expansion, kernel, width, blocks, which of ``strides`` its first block has), at width and depth 1.
_STAGES = (
    (1, 3, 16, 1, None),  # 112 x 112 at an input of 224
    (6, 3, 24, 2, 1),     # 56 x 56
    (6, 5, 40, 2, 2),     # 28 x 28
    (6, 3, 80, 3, 3),     # 14 x 14
    (6, 5, 112, 3, None),
    (6, 5, 192, 4, 4),    # 7 x 7
    (6, 3, 320, 1, None),
)
# The paper's coefficients as its table 3 prints them: width and depth.
_MEMBERS = {
    'elite0': (1.0, 1.0), 'elite1': (1.0, 0.7), 'elite2': (1.0, 0.6), 'elite3': (0.8666, 0.7), 'elite4': (0.8666, 0.6),
    'elite5': (0.701, 0.7), 'elite6': (0.701, 0.6), 'elite7': (0.701, 0.5), 'elite8': (0.514, 0.7),
    'elite9': (0.514, 0.5),
    'hf0': (1.0, 1.0), 'hf1': (0.8666, 0.7), 'hf2': (1.0, 0.5), 'hf3': (1.0, 0.7), 'hf4': (0.8666, 0.6),
    'hf5': (1.0, 0.5),
}
_PADDINGS = ('dynamic', 'static', 'symmetric')
_DROPS = {'standard': 'DropPath', 'upstream': 'lcvision.DropConnect'}


@MODELS.register_module()
class EfficientNetELite(Backbone):
    """EfficientNet-B0 scaled down in width and depth, and the same with every width a power of two.

    Args:
        arch: A member of the paper: 'elite0' (EfficientNet-B0) to 'elite9', or 'hf0' to 'hf5', the hardware-friendly
            ones. Their images have 224 pixels a side, 203 for elite4 and elite7, 256 for hf0 to hf2 and 128 for hf3 to
            hf5.
        width: Width multiplier, above 0, instead of ``arch``.
        depth: Multiplier of the blocks of every stage, above 0, rounded up to whole ones, instead of ``arch``.
        hardware_friendly: With ``width`` and ``depth``, whether widths become powers of two.
        padding: Of strided convolutions: 'dynamic' is TensorFlow's, from the size of each map; 'static' takes it from
            ``image_size`` in every layer; 'symmetric' is half the kernel on every side. At sizes that are multiples
            of 32 the first two are the same, at an odd ``image_size`` the last two are. Weights of one fit the others
            and give shifted maps there.
        image_size: Side in pixels of the images that 'static' is for. With an even one, maps of an odd size halve to
            the lower whole number instead of the upper.
        drop_connect: Share of the images for which the last block's branch is dropped in training, in [0, 1); it
            falls linearly to 0 at the first block. The paper's code has 0.2.
        drop_style: 'standard' keeps the branch's mean in training and the branch itself at inference; 'upstream'
            scales at inference instead, see :class:`DropConnect`.
        strides: Strides of the stem and of the stages of widths 24, 40, 80 and 192, each 1 or 2. For images of
            32 x 32 pixels (1, 1, 2, 2, 2).
        out_indices: Outputs to return, the last maps of widths 24, 40, 112 and 320; with the usual ``strides`` 0..3
            have strides 4, 8, 16, 32.
        frozen_stages: Stages to freeze with the stem, see :class:`Backbone`.
        norm_cfg: Norm of every convolution; by default BN with eps 1e-3 and momentum 0.01.
        norm_eval: Whether norms use running statistics in training.
        init_cfg: mmengine initialisation.
        output_stride: Stride of the deepest map: 8, 16 or 32, see :class:`Backbone`.

    Attributes:
        head_channels: Width of the 1 x 1 convolution that belongs to this network's classification head.

    Shapes: (N, 3, H, W) -> tuple of (N, C_i, ceil(H / s_i), ceil(W / s_i)).

    Raises:
        ValueError: If the member is unknown or given beside ``width``, ``depth`` or ``hardware_friendly``, if a number
            is out of its range, or if ``padding`` and ``image_size`` do not go together.

    Source: EfficientNet-eLite (arXiv 2009.07409), tables 2 and 3 and equation 7. Parameters and multiply-adds of all 16
    members equal table 5, where parameters count BN's running statistics, but for the parameters of elite4: 3.17
    million are printed, which is the row of hf1, and 3.53 million are what the rule gives and figure 1 shows. The
    authors published no network; what the paper leaves open is as in the EfficientNet code they built on. In hf members
    widths are rounded to multiples of 8 first and the expanded ones from those: of the rules tried the only one that
    gives all twelve numbers of table 5. torchvision's EfficientNet-B0 is elite0 with ``padding='symmetric'`` and
    ``norm_cfg=dict(type='BN')``.

    Differs: a stage's first block of stride 1 and equal widths has its shortcut, as in TensorFlow's and timm's
    EfficientNet. The code the authors built on has none there; of the members this concerns hf1 and hf4 alone, whose
    weights are not public. Padding is TensorFlow's at every size, the sound choice for maps of any size, where
    that code has the static one: other maps for elite4 and elite7 only.
    """

    def __init__(self, arch: str | None = None, width: float | None = None, depth: float | None = None,
                 hardware_friendly: bool = False, padding: str = 'dynamic', image_size: int | None = None,
                 drop_connect: float = 0., drop_style: str = 'standard', strides: Sequence[int] = (2, 2, 2, 2, 2),
                 out_indices: Sequence[int] = (0, 1, 2, 3), frozen_stages: int = -1, norm_cfg: dict | None = None,
                 norm_eval: bool = False, init_cfg: dict | list | None = None, output_stride: int = 32):
        rule = _rule(arch, width, depth, hardware_friendly)
        _check(padding, image_size, drop_connect, drop_style, strides)
        super().__init__(out_indices, frozen_stages, norm_eval, init_cfg or [
            dict(type='Kaiming', layer='Conv2d', mode='fan_out', nonlinearity='relu'),
            dict(type='Constant', layer='_BatchNorm', val=1),
        ], output_stride)
        cfg: dict = dict(norm_cfg=norm_cfg or dict(type='BN', eps=1e-3, momentum=0.01), act_cfg=dict(type='SiLU'))
        strided_cfg = None if padding == 'symmetric' else dict(type='lcvision.SameConv2d', image_size=image_size)
        self.head_channels = rule.round(_HEAD_WIDTH)
        self.stem = ConvModule(3, rule.round(_STEM_WIDTH), 3, stride=strides[0], padding=1, conv_cfg=strided_cfg, **cfg)
        cfg.update(strided_cfg=strided_cfg, se_act_cfg=cfg['act_cfg'], gate_cfg=dict(type='Sigmoid'))
        rates = [drop_connect * index / rule.num_blocks for index in range(rule.num_blocks)]
        drops = [dict(type=_DROPS[drop_style], drop_prob=rate) if rate else None for rate in rates]
        self._build_stages(rule, strides, drops, cfg)
        ends = (1, 2, 4, 6)
        self.declare(ends, [rule.round(_STAGES[end][2]) for end in ends],
                     [math.prod(strides[:count]) for count in range(2, 6)])

    def _build_stages(self, rule: '_Rule', strides: Sequence[int], drops: list[dict | None], cfg: dict) -> None:
        self.stages = nn.ModuleList()
        base_channels, left = _STEM_WIDTH, iter(drops)
        for (expansion, kernel, base_width, _, place), blocks in zip(_STAGES, rule.blocks, strict=True):
            stage = nn.Sequential()
            for block in range(blocks):
                channels = rule.round(base_channels)
                stage.append(InvertedResidual(
                    channels, rule.round(base_channels, expansion), rule.round(base_width), kernel,
                    strides[place] if place and block == 0 else 1, expand=expansion > 1, se_channels=channels // 4,
                    drop_cfg=next(left), **cfg))
                base_channels = base_width
            self.stages.append(stage)


@dataclass(frozen=True)
class _Rule:
    """How the baseline is scaled.

    Attributes:
        width: Multiplier of all widths.
        depth: Multiplier of the blocks of each stage.
        hardware_friendly: Whether widths become powers of two.
    """

    width: float
    depth: float
    hardware_friendly: bool

    @property
    def blocks(self) -> list[int]:
        """Blocks of each stage."""
        return [math.ceil(blocks * self.depth) for *_, blocks, _ in _STAGES]

    @property
    def num_blocks(self) -> int:
        """Blocks of all stages."""
        return sum(self.blocks)

    def round(self, base_width: int, expansion: int = 1) -> int:
        """The scaled width, expanded before a power of two is sought."""
        channels = expansion * make_divisible(base_width * self.width)
        return _nearest_power_of_two(channels) if self.hardware_friendly else channels


def _nearest_power_of_two(channels: int) -> int:
    """Equation 7; half-way goes down."""
    up = 1 << (channels - 1).bit_length()
    return up if up - channels < channels - up // 2 else up // 2


def _rule(arch: str | None, width: float | None, depth: float | None, hardware_friendly: bool) -> _Rule:
    if arch is None:
        for name, given in (('width', width), ('depth', depth)):
            if not isinstance(given, int | float) or not 0 < given < math.inf:
                raise ValueError(f"EfficientNetELite: {name}={given} must be above 0 where no arch is given, e.g. 0.5; "
                                 "or give a member of the paper alone, e.g. arch='elite9'")
        return _Rule(float(width), float(depth), hardware_friendly)  # type: ignore[arg-type]
    if arch not in _MEMBERS:
        raise ValueError(f"EfficientNetELite: arch={arch!r} must be one of 'elite0' to 'elite9' and 'hf0' to 'hf5'")
    if width is not None or depth is not None or hardware_friendly:
        raise ValueError(f'EfficientNetELite: arch={arch!r} fixes width, depth and hardware_friendly; leave them out, '
                         'or leave out arch')
    return _Rule(*_MEMBERS[arch], hardware_friendly=arch.startswith('hf'))


def _check(padding: str, image_size: int | None, drop_connect: float, drop_style: str, strides: Sequence[int]) -> None:
    for name, given, legal in (('padding', padding, _PADDINGS), ('drop_style', drop_style, tuple(_DROPS))):
        if given not in legal:
            raise ValueError(f'EfficientNetELite: {name}={given!r} must be one of {", ".join(map(repr, legal))}')
    if (image_size is not None) != (padding == 'static') or not (image_size is None or image_size > 0):
        raise ValueError(f"EfficientNetELite: image_size={image_size} with padding={padding!r}: 'static' needs the "
                         'side of the images in pixels, e.g. 203, and the others take none')
    if not 0 <= drop_connect < 1:
        raise ValueError(f'EfficientNetELite: drop_connect={drop_connect} must lie in 0..1, 1 excluded, e.g. 0.2')
    if len(strides) != 5 or not set(strides) <= {1, 2}:
        raise ValueError(f'EfficientNetELite: strides={strides} must be five of 1 and 2, e.g. (1, 1, 2, 2, 2)')
