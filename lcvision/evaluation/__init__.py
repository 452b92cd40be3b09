"""Metrics; importing this package registers them."""
from lcvision.frameworks import import_available

import_available(f'{__name__}.{name}' for name in ('coco_box_metric', 'labelled_iou_metric'))
