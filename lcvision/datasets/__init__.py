"""Datasets and the steps of their pipelines; importing this package registers them."""
from lcvision.datasets import transforms
from lcvision.frameworks import import_available

__all__ = ['transforms']

import_available(f'{__name__}.{name}' for name in (
    'cityscapes_label_ids_dataset', 'mask_folder_dataset', 'non_empty_coco_dataset', 'npz_image_dataset',
    'without_labels'))
