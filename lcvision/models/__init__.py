"""Networks, registered under the scope ``lcvision``: every module of this package whose framework is installed.

What is built with an argument out of its range raises a ValueError that names what is legal.
"""
import pkgutil

from lcvision.frameworks import import_available
from lcvision.registry import MODELS, TASK_UTILS

import_available(module.name for module in pkgutil.walk_packages(__path__, f'{__name__}.'))
__all__ = sorted([*MODELS.module_dict, *TASK_UTILS.module_dict])


def __getattr__(name: str) -> type:
    """A registered class, so that ``from lcvision.models import PPLCNet`` needs no list of them."""
    found = MODELS.module_dict.get(name) or TASK_UTILS.module_dict.get(name)
    if found is None:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return found
