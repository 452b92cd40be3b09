"""What runs beside the model while it trains; importing this package registers the hooks."""
from lcvision.engine import hooks

__all__ = ['hooks']
