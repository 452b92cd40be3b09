"""Classification heads."""
from lcvision.models.cls_heads.pplcnet_head import PPLCNetHead

__all__ = ['PPLCNetHead']
