"""Datasets and the steps of their pipelines; importing this package registers them."""
from lcvision.datasets import transforms
from lcvision.datasets.non_empty_coco_dataset import NonEmptyCocoDataset

__all__ = ['NonEmptyCocoDataset', 'transforms']
