"""What runs beside the model while it trains; importing this package registers hooks, optimisers and their wrappers.

What is built with an argument out of its range raises a ValueError that names what is legal.
"""
import pkgutil

from lcvision.frameworks import import_available

import_available(module.name for module in pkgutil.walk_packages(__path__, f'{__name__}.'))
