"""Sample data that is rendered on first use instead of downloaded."""
from lcvision.datasets.sample.detection import ensure_detection_sample, render_detection_sample

__all__ = ['ensure_detection_sample', 'render_detection_sample']
