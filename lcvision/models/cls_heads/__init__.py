"""Classification heads."""
from lcvision.models.cls_heads.conv_gap_head import ConvGapHead
from lcvision.models.cls_heads.mobilenetv3_head import MobileNetV3Head
from lcvision.models.cls_heads.pplcnet_head import PPLCNetHead

__all__ = ['ConvGapHead', 'MobileNetV3Head', 'PPLCNetHead']
