"""Heads of the PicoDet generations."""
from lcvision.models.dense_heads.pico_head_gfl import PicoHeadGFL
from lcvision.models.dense_heads.pico_head_ota import PicoHeadOTA
from lcvision.models.dense_heads.pico_head_v2 import PicoHeadV2

__all__ = ['PicoHeadGFL', 'PicoHeadOTA', 'PicoHeadV2']
