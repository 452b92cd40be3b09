"""Backbones; each keeps the promises of :class:`lcvision.models.backbones.base.Backbone`."""
from lcvision.models.backbones.mobilenetv3 import MobileNetV3
from lcvision.models.backbones.pplcnet import PPLCNet

__all__ = ['MobileNetV3', 'PPLCNet']
