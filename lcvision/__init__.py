"""Light CPU backbones for mmdet, mmseg and mmpretrain, with their latency beside their accuracy."""
import sys

if sys.platform == 'win32':
    raise SystemExit('error: lcvision runs on Linux and macOS only; on Windows, run it inside WSL.')

from lcvision import compat
from lcvision.version import __version__

__all__ = ['__version__']

compat.install()
