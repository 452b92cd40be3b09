"""Backbones; each keeps the promises of :class:`lcvision.models.backbones.base.Backbone`."""
from lcvision.models.backbones.pplcnet import PPLCNet

__all__ = ['PPLCNet']
