"""Layouts of data, datasets and the steps of their pipelines: every module whose framework is installed registers."""
import pkgutil

from lcvision.frameworks import import_available

import_available(module.name for module in pkgutil.iter_modules(__path__, f'{__name__}.'))
