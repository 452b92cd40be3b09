"""Backbones; each keeps the promises of :class:`lcvision.models.backbones.base.Backbone`."""
from lcvision.models.backbones.efficientnet_elite import EfficientNetELite
from lcvision.models.backbones.mobilenetv1 import MobileNetV1
from lcvision.models.backbones.mobilenetv2 import MobileNetV2
from lcvision.models.backbones.mobilenetv3 import MobileNetV3
from lcvision.models.backbones.pplcnet import PPLCNet
from lcvision.models.backbones.seesawnet import SeesawNet
from lcvision.models.backbones.shufflenetv2 import ShuffleNetV2

__all__ = ['EfficientNetELite', 'MobileNetV1', 'MobileNetV2', 'MobileNetV3', 'PPLCNet', 'SeesawNet', 'ShuffleNetV2']
