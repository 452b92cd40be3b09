"""Necks of the PicoDet generations."""
from lcvision.models.necks.csp_pan import CSPPAN
from lcvision.models.necks.lc_pan import LCPAN
from lcvision.models.necks.pico_pan import PicoPAN

__all__ = ['CSPPAN', 'LCPAN', 'PicoPAN']
