"""What runs beside the model while it trains; importing this package registers hooks, optimisers and their wrappers."""
from lcvision.engine import hooks, optim

__all__ = ['hooks', 'optim']
