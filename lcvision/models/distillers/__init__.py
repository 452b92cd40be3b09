"""Models that learn from other models."""
from lcvision.models.distillers.ssld import SSLD

__all__ = ['SSLD']
