"""Pipeline steps: those of the reference detectors, and loading."""
from lcvision.datasets.transforms.batch_resize import batch_random_resize
from lcvision.datasets.transforms.loading import LoadAnyImage, LoadImage, LoadMask
from lcvision.datasets.transforms.pca_lighting import PCALighting
from lcvision.datasets.transforms.pico_distort import PicoDistort
from lcvision.datasets.transforms.ssd_crop import DropIgnored, SSDCrop

__all__ = ['DropIgnored', 'LoadAnyImage', 'LoadImage', 'LoadMask', 'PCALighting', 'PicoDistort', 'SSDCrop',
           'batch_random_resize']
