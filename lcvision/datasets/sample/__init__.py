"""Sample data that is rendered on first use instead of downloaded."""
from lcvision.datasets.sample.classification import ensure_classification_sample, render_classification_sample
from lcvision.datasets.sample.detection import ensure_detection_sample, render_detection_sample
from lcvision.datasets.sample.segmentation import ensure_street_sample, render_street_sample

__all__ = ['ensure_classification_sample', 'ensure_detection_sample', 'ensure_street_sample',
           'render_classification_sample', 'render_detection_sample', 'render_street_sample']
