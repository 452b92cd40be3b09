"""Metrics."""
from lcvision.evaluation.coco_box_metric import CocoBoxMetric
from lcvision.evaluation.labelled_iou_metric import LabelledIoUMetric

__all__ = ['CocoBoxMetric', 'LabelledIoUMetric']
