"""Assignment of targets and selection of boxes."""
from lcvision.models.task_modules.class_nms import class_nms
from lcvision.models.task_modules.pico_atss_assigner import PicoATSSAssigner
from lcvision.models.task_modules.pico_sim_ota_assigner import PicoSimOTAAssigner
from lcvision.models.task_modules.pico_task_aligned_assigner import PicoTaskAlignedAssigner

__all__ = ['PicoATSSAssigner', 'PicoSimOTAAssigner', 'PicoTaskAlignedAssigner', 'class_nms']
