"""Light CPU backbones for mmdet, mmseg and mmpretrain, with their latency beside their accuracy."""
from lcvision import compat
from lcvision.version import __version__

__all__ = ['__version__']

compat.install()
