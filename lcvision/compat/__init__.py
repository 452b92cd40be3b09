"""Bridges over gaps in the libraries below; each file says which versions it serves and when to delete it."""
from lcvision.compat import inferencers, mmcv_ops, safe_globals, torchvision_ops


def install() -> None:
    """Puts in place every bridge that this environment needs, and none that it does not.

    Each bridge waits for the import of the library that it serves and decides then; nothing is imported here.
    """
    mmcv_ops.install()
    torchvision_ops.install()
    safe_globals.install()
    inferencers.install()
