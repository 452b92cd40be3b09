"""Heads of the PicoDet generations."""
from lcvision.models.dense_heads.pico_head_gfl import PicoHeadGFL

__all__ = ['PicoHeadGFL']
