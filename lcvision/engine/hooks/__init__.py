"""Hooks for mmengine's runner."""
from lcvision.engine.hooks.cycle_ema_hook import CycleEMAHook

__all__ = ['CycleEMAHook']
