"""Networks, registered under the scope ``lcvision``."""
from lcvision.models.backbones import MobileNetV3, PPLCNet
from lcvision.models.cls_heads import MobileNetV3Head, PPLCNetHead
from lcvision.models.dense_heads import PicoHeadGFL, PicoHeadOTA, PicoHeadV2
from lcvision.models.necks import CSPPAN, LCPAN, PicoPAN
from lcvision.models.task_modules import PicoATSSAssigner, PicoSimOTAAssigner, PicoTaskAlignedAssigner

__all__ = [
    'CSPPAN',
    'LCPAN',
    'MobileNetV3',
    'MobileNetV3Head',
    'PPLCNet',
    'PPLCNetHead',
    'PicoATSSAssigner',
    'PicoHeadGFL',
    'PicoHeadOTA',
    'PicoHeadV2',
    'PicoPAN',
    'PicoSimOTAAssigner',
    'PicoTaskAlignedAssigner',
]
