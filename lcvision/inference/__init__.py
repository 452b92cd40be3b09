"""Trained models as functions from images to results."""
from lcvision.inference.predictor import Predictor
from lcvision.inference.results import Class, Detections, LabelMap

__all__ = ['Class', 'Detections', 'LabelMap', 'Predictor']
