"""Sample data of every task, rendered on first use instead of downloaded.

A renderer takes the folder to fill, the number of images of the training and of the validation split, and a seed of at
least 0 that selects the scenes. The same arguments give the same files, byte for byte.
"""
from lcvision.datasets.sample.rendered_folder import ensure_rendered_folder
from lcvision.datasets.sample.shapes import (
                                             render_classification_sample,
                                             render_detection_image,
                                             render_detection_sample,
)
from lcvision.datasets.sample.street import render_street_image, render_street_sample

RENDERERS = {'detection': render_detection_sample, 'segmentation': render_street_sample,
             'classification': render_classification_sample}

__all__ = ['RENDERERS', 'ensure_rendered_folder', 'render_classification_sample', 'render_detection_image',
           'render_detection_sample', 'render_street_image', 'render_street_sample']
