"""Pipeline steps of the reference detectors, for mmdet's data dicts."""
from lcvision.datasets.transforms.batch_resize import batch_random_resize
from lcvision.datasets.transforms.drop_ignored import DropIgnored
from lcvision.datasets.transforms.load_image import LoadImage
from lcvision.datasets.transforms.pico_distort import PicoDistort
from lcvision.datasets.transforms.ssd_crop import SSDCrop

__all__ = ['DropIgnored', 'LoadImage', 'PicoDistort', 'SSDCrop', 'batch_random_resize']
