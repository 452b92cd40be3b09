"""Assignment of targets and selection of boxes."""
from lcvision.models.task_modules.class_nms import class_nms
from lcvision.models.task_modules.pico_atss_assigner import PicoATSSAssigner

__all__ = ['PicoATSSAssigner', 'class_nms']
