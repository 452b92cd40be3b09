"""Layouts of data, datasets and the steps of their pipelines: every module whose framework is installed registers.

Faulty data raise a :class:`lcvision.errors.UserError` that names the first fault found, its file and a remedy. What is
built with an argument out of its range raises a ValueError that names what is legal.
"""
import pkgutil

from lcvision.frameworks import import_available

import_available(module.name for module in pkgutil.iter_modules(__path__, f'{__name__}.'))
