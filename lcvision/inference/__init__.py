"""Trained models as functions from images to results."""
from lcvision.inference.predictor import Predictor
from lcvision.inference.results import Classification, Detections, LabelMap

__all__ = ['Classification', 'Detections', 'LabelMap', 'Predictor']
