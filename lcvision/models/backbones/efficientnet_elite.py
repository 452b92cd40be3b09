"""EfficientNet-eLite and EfficientNet-HF."""
import math
from collections.abc import Sequence
from typing import Any

from mmcv.cnn import ConvModule
from torch import nn

from lcvision.models.backbones.base import Backbone
from lcvision.models.layers.blocks import InvertedResidual, make_divisible
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
_DROPS = {'standard': 'DropPath', 'upstream': 'lcvision.DropConnect'}


@MODELS.register_module()
class EfficientNetELite(Backbone):
    """EfficientNet-B0 scaled down in width and depth, and the same with every width a power of two.

    Args:
        arch: A member of the paper: 'elite0' (EfficientNet-B0) to 'elite9', or 'hf0' to 'hf5', the hardware-friendly
            ones. Their images have 224 pixels a side, 203 for elite4 and elite7, 256 for hf0 to hf2 and 128 for hf3 to
            hf5.
        width, depth: Multipliers of widths and of the blocks of every stage (rounded up), above 0, instead of ``arch``.
        hardware_friendly: With these two, whether widths become powers of two.
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
        strides: 1 or 2 for the stem and the stages of widths 24, 40, 80 and 192; (1, 1, 2, 2, 2) suits 32 x 32 pixels.
        norm_cfg: Norm of every convolution; by default BN with eps 1e-3 and momentum 0.01.
        kwargs: See :class:`Backbone`; the outputs are the last maps of widths 24, 40, 112 and 320.

    Attributes:
        head_channels: Width of the 1 x 1 convolution that belongs to this network's classification head.

    Source: EfficientNet-eLite (arXiv 2009.07409), tables 2 and 3 and equation 7. Parameters and multiply-adds of all 16
    members equal table 5, where parameters count BN's running statistics, but for elite4: the 3.17 million printed are
    the row of hf1; the rule gives 3.53, as figure 1 shows. No network was published; what the paper leaves open is as
    in the EfficientNet code it was built on. hf widths are rounded to multiples of 8 first and the expanded ones from
    those, the only rule tried that gives all twelve numbers of table 5. torchvision's EfficientNet-B0 is elite0 with
    ``padding='symmetric'`` and ``norm_cfg=dict(type='BN')``.

    Differs: from that code in the shortcut of a stage's first block of stride 1 and equal widths, which TensorFlow's
    and timm's EfficientNet have, too (hf1 and hf4 alone), and in TensorFlow's padding at every size instead of the
    static one (other maps for elite4 and elite7 alone).
    """

    def __init__(self, arch: str | None = None, width: float | None = None, depth: float | None = None,
                 hardware_friendly: bool = False, padding: str = 'dynamic', image_size: int | None = None,
                 drop_connect: float = 0., drop_style: str = 'standard', strides: Sequence[int] = (2, 2, 2, 2, 2),
                 norm_cfg: dict | None = None, **kwargs: Any):
        self.width, self.depth, self.hardware_friendly = _coefficients(arch, width, depth, hardware_friendly)
        self.check_choice(padding=(padding, ('dynamic', 'static', 'symmetric')), drop_style=(drop_style, _DROPS))
        steps = self.check_strides(strides, 5)
        if (image_size is not None) != (padding == 'static') or not (image_size is None or image_size > 0):
            raise ValueError(f"EfficientNetELite: image_size={image_size} with padding={padding!r}: 'static' needs the "
                             'side of the images in pixels, e.g. 203, and the others take none')
        if not 0 <= drop_connect < 1:
            raise ValueError(f'EfficientNetELite: drop_connect={drop_connect} must lie in 0..1, 1 excluded, e.g. 0.2')
        norm_cfg = norm_cfg or dict(type='BN', eps=1e-3, momentum=0.01)
        super().__init__(norm_cfg=norm_cfg, init_mode='fan_out', **kwargs)
        cfg: dict = dict(norm_cfg=norm_cfg, act_cfg=dict(type='SiLU'))
        strided_cfg = None if padding == 'symmetric' else dict(type='lcvision.SameConv2d', image_size=image_size)
        self.head_channels = self._width(_HEAD_WIDTH)
        self.stem = ConvModule(3, self._width(_STEM_WIDTH), 3, stride=steps[0], padding=1, conv_cfg=strided_cfg, **cfg)
        cfg.update(strided_cfg=strided_cfg, se_act_cfg=cfg['act_cfg'], gate_cfg=dict(type='Sigmoid'))
        depths = [math.ceil(blocks * self.depth) for *_, blocks, _ in _STAGES]
        rates = [drop_connect * index / sum(depths) for index in range(sum(depths))]
        drops = iter([dict(type=_DROPS[drop_style], drop_prob=rate) if rate else None for rate in rates])
        self.stages, base_channels = nn.ModuleList(), _STEM_WIDTH
        for (expansion, kernel, base_width, _, place), blocks in zip(_STAGES, depths, strict=True):
            stage = nn.Sequential()
            for block in range(blocks):
                channels = self._width(base_channels)
                stage.append(InvertedResidual(
                    channels, self._width(base_channels, expansion), self._width(base_width), kernel,
                    steps[place] if place and block == 0 else 1, expand=expansion > 1, se_channels=channels // 4,
                    drop_cfg=next(drops), **cfg))
                base_channels = base_width
            self.stages.append(stage)
        self.declare((1, 2, 4, 6), [self._width(stage[2]) for stage in _STAGES],
                     [math.prod(steps[:count]) for count in (2, 3, 4, 5)])

    def _width(self, base_width: int, expansion: int = 1) -> int:
        """The scaled width, expanded before a power of two is sought: equation 7, half-way goes down."""
        channels = expansion * make_divisible(base_width * self.width)
        if not self.hardware_friendly:
            return channels
        up = 1 << (channels - 1).bit_length()
        return up if up - channels < channels - up // 2 else up // 2


def _coefficients(arch: str | None, width: float | None, depth: float | None,
                  hardware_friendly: bool) -> tuple[float, float, bool]:
    """Multipliers of widths and depths, and whether widths become powers of two."""
    if arch is None:
        for name, given in (('width', width), ('depth', depth)):
            if not isinstance(given, int | float) or not 0 < given < math.inf:
                raise ValueError(f"EfficientNetELite: {name}={given} must be above 0 where no arch is given, e.g. 0.5; "
                                 "or give a member of the paper alone, e.g. arch='elite9'")
        return float(width), float(depth), hardware_friendly  # type: ignore[arg-type]
    if arch not in _MEMBERS:
        raise ValueError(f"EfficientNetELite: arch={arch!r} must be one of 'elite0' to 'elite9' and 'hf0' to 'hf5'")
    if width is not None or depth is not None or hardware_friendly:
        raise ValueError(f'EfficientNetELite: arch={arch!r} fixes width, depth and hardware_friendly; leave them out, '
                         'or leave out arch')
    return *_MEMBERS[arch], arch.startswith('hf')
