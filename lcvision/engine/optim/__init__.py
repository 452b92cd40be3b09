"""Optimisers and their wrappers."""
from lcvision.engine.optim.bf16_optim_wrapper import BF16OptimWrapper
from lcvision.engine.optim.rmsprop_tf import RMSpropTF

__all__ = ['BF16OptimWrapper', 'RMSpropTF']
