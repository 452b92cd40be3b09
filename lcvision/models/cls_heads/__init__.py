"""Classification heads."""
from lcvision.models.cls_heads.mobilenetv3_head import MobileNetV3Head
from lcvision.models.cls_heads.pplcnet_head import PPLCNetHead

__all__ = ['MobileNetV3Head', 'PPLCNetHead']
