"""Bridges over gaps in the libraries below; each file says which versions it serves and when to delete it."""
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

from lcvision.compat import inferencers, mmcv_ops, safe_globals, torchvision_ops, yapf_cache


def install() -> None:
    """Puts in place every bridge; each waits for the import of the library that it serves, to see if it is needed."""
    mmcv_ops.install()
    before_import(['torchvision._meta_registrations', 'torchvision._autograd_registrations'],
                  torchvision_ops.declare_missing)
    # The runner reads and writes the checkpoints.
    before_import(['mmengine.runner'], safe_globals.allow)
    before_import(['mmengine.runner'], yapf_cache.format_once)
    before_import(['yapf_third_party._ylib2to3.pygram'], yapf_cache.write_whole)
    # What the packages of the inferencers import after them.
    before_import(['mmdet.apis.inference'], inferencers.teach_mmdet)
    before_import(['mmseg.apis.remote_sense_inferencer'], inferencers.teach_mmseg)


class ImportWatch(MetaPathFinder):
    """Finder that finds nothing: it calls ``action`` once, just before the first of the modules is imported."""

    def __init__(self, names: Sequence[str], action: Callable[[], object]) -> None:
        self.names = frozenset(names)
        self.action = action

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Runs the action if its time has come; the ordinary finders go on to find the module."""
        if fullname in self.names:
            # Emptied before acting: the action imports things itself. It stays in sys.meta_path because the import
            # system is walking that very list now.
            self.names = frozenset()
            self.action()


def before_import(names: Sequence[str], action: Callable[[], object]) -> None:
    """Calls ``action`` once, before any of the modules is imported, or now if one is; asking again changes nothing."""
    if any(name in sys.modules for name in names):
        action()
    elif not any(isinstance(finder, ImportWatch) and finder.action is action for finder in sys.meta_path):
        sys.meta_path.insert(0, ImportWatch(names, action))
