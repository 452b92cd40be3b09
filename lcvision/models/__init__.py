"""Networks, registered under the scope ``lcvision``."""
from lcvision.models.backbones import (
    EfficientNetELite,
    MobileNetV1,
    MobileNetV2,
    MobileNetV3,
    PPLCNet,
    SeesawNet,
    ShuffleNetV2,
)
from lcvision.models.cls_heads import ConvGapHead, MobileNetV3Head, PPLCNetHead
from lcvision.models.decode_heads import DeepLabV3PlusHead
from lcvision.models.dense_heads import PicoHeadGFL, PicoHeadOTA, PicoHeadV2
from lcvision.models.distillers import SSLD
from lcvision.models.losses import ClassWeightedCrossEntropy
from lcvision.models.necks import CSPPAN, LCPAN, PicoPAN
from lcvision.models.segmentors import LeanEncoderDecoder
from lcvision.models.task_modules import PicoATSSAssigner, PicoSimOTAAssigner, PicoTaskAlignedAssigner

__all__ = [
    'CSPPAN',
    'LCPAN',
    'SSLD',
    'ClassWeightedCrossEntropy',
    'ConvGapHead',
    'DeepLabV3PlusHead',
    'EfficientNetELite',
    'LeanEncoderDecoder',
    'MobileNetV1',
    'MobileNetV2',
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
    'SeesawNet',
    'ShuffleNetV2',
]
