"""Building blocks that several networks share."""
from lcvision.models.layers.depthwise_separable import DepthwiseSeparable
from lcvision.models.layers.hard_sigmoid import HardSigmoid
from lcvision.models.layers.inverted_residual import InvertedResidual
from lcvision.models.layers.make_divisible import make_divisible
from lcvision.models.layers.squeeze_excite import SqueezeExcite

__all__ = ['DepthwiseSeparable', 'HardSigmoid', 'InvertedResidual', 'SqueezeExcite', 'make_divisible']
