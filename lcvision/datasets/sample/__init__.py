"""Sample data of every task, rendered on first use instead of downloaded."""
from lcvision.datasets.sample.rendered_folder import ensure_rendered_folder
from lcvision.datasets.sample.sets import (
                                           render_classification_sample,
                                           render_detection_sample,
                                           render_segmentation_sample,
)
from lcvision.datasets.sample.shapes import render_shapes

RENDERERS = {'detection': render_detection_sample, 'segmentation': render_segmentation_sample,
             'classification': render_classification_sample}

__all__ = ['RENDERERS', 'ensure_rendered_folder', 'render_classification_sample', 'render_detection_sample',
           'render_segmentation_sample', 'render_shapes']
