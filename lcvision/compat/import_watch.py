"""Runs an action the first time one of some modules is looked up, so that `import lcvision` itself stays cheap.

Serves torchvision_ops.py, safe_globals.py and inferencers.py; delete it with the last of them.
"""
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType


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
    """Calls ``action`` once, before any of the modules ``names`` is imported, or right now if one is already there.

    Asking again for an action that is being waited for changes nothing.
    """
    if any(name in sys.modules for name in names):
        action()
    elif not any(isinstance(finder, ImportWatch) and finder.action is action for finder in sys.meta_path):
        sys.meta_path.insert(0, ImportWatch(names, action))
