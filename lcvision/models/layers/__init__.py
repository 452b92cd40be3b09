"""Building blocks that several networks share."""
from lcvision.models.layers.depthwise_separable import DepthwiseSeparable
from lcvision.models.layers.drop_connect import DropConnect
from lcvision.models.layers.hard_sigmoid import HardSigmoid
from lcvision.models.layers.inverted_residual import InvertedResidual
from lcvision.models.layers.make_divisible import make_divisible
from lcvision.models.layers.same_conv2d import SameConv2d
from lcvision.models.layers.seesaw_block import SeesawBlock
from lcvision.models.layers.squeeze_excite import SqueezeExcite

__all__ = [
    'DepthwiseSeparable',
    'DropConnect',
    'HardSigmoid',
    'InvertedResidual',
    'SameConv2d',
    'SeesawBlock',
    'SqueezeExcite',
    'make_divisible',
]
