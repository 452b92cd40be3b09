"""Datasets and the steps of their pipelines; importing this package registers them."""
from lcvision.datasets import transforms
from lcvision.datasets.cityscapes_label_ids_dataset import CityscapesLabelIdsDataset
from lcvision.datasets.mask_folder_dataset import MaskFolderDataset
from lcvision.datasets.non_empty_coco_dataset import NonEmptyCocoDataset
from lcvision.datasets.npz_image_dataset import NpzImageDataset
from lcvision.datasets.without_labels import WithoutLabels

__all__ = [
    'CityscapesLabelIdsDataset',
    'MaskFolderDataset',
    'NonEmptyCocoDataset',
    'NpzImageDataset',
    'WithoutLabels',
    'transforms',
]
