"""Segmentation heads."""
from lcvision.models.decode_heads.aspp import ASPP
from lcvision.models.decode_heads.deeplabv3plus_head import DeepLabV3PlusHead

__all__ = ['ASPP', 'DeepLabV3PlusHead']
