"""Pipeline steps: those of the reference detectors, and loading."""
from lcvision.datasets.transforms.batch_resize import batch_random_resize
from lcvision.datasets.transforms.loading import LoadAnyImage, LoadImage, LoadMask
from lcvision.datasets.transforms.pca_lighting import PCALighting
from lcvision.datasets.transforms.pico_distort import PicoDistort
from lcvision.datasets.transforms.ssd_crop import DropIgnored, SSDCrop
from lcvision.datasets.transforms.thin_mask import ThinMask

__all__ = ['DropIgnored', 'LoadAnyImage', 'LoadImage', 'LoadMask', 'PCALighting', 'PicoDistort', 'SSDCrop',
           'ThinMask', 'batch_random_resize']
