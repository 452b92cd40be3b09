"""Networks, registered under the scope ``lcvision``."""
from lcvision.models.backbones import PPLCNet
from lcvision.models.cls_heads import PPLCNetHead
from lcvision.models.dense_heads import PicoHeadGFL
from lcvision.models.necks import PicoPAN
from lcvision.models.task_modules import PicoATSSAssigner

__all__ = ['PPLCNet', 'PPLCNetHead', 'PicoATSSAssigner', 'PicoHeadGFL', 'PicoPAN']
