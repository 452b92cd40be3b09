"""Metrics."""
from lcvision.evaluation.coco_box_metric import CocoBoxMetric

__all__ = ['CocoBoxMetric']
