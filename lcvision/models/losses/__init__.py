"""Losses."""
from lcvision.models.losses.class_weighted_cross_entropy import ClassWeightedCrossEntropy

__all__ = ['ClassWeightedCrossEntropy']
