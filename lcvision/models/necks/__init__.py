"""Necks of the PicoDet generations."""
from lcvision.models.necks.pico_pan import PicoPAN

__all__ = ['PicoPAN']
