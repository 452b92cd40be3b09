"""Hooks for mmengine's runner."""
from lcvision.engine.hooks.atomic_checkpoint_hook import AtomicCheckpointHook
from lcvision.engine.hooks.compatible_checkpoint_hook import CompatibleCheckpointHook
from lcvision.engine.hooks.cpu_latency_hook import CPULatencyHook
from lcvision.engine.hooks.cycle_ema_hook import CycleEMAHook
from lcvision.engine.hooks.engine_hook import EngineHook
from lcvision.engine.hooks.epoch_seed_hook import EpochSeedHook
from lcvision.engine.hooks.finite_hook import FiniteHook
from lcvision.engine.hooks.memory_format_hook import MemoryFormatHook
from lcvision.engine.hooks.pause_hook import PauseHook
from lcvision.engine.hooks.picture_hook import PictureHook
from lcvision.engine.hooks.position_baseline_hook import PositionBaselineHook
from lcvision.engine.hooks.resume_hook import ResumeHook

__all__ = ['AtomicCheckpointHook', 'CPULatencyHook', 'CompatibleCheckpointHook', 'CycleEMAHook', 'EngineHook',
           'EpochSeedHook', 'FiniteHook', 'MemoryFormatHook', 'PauseHook', 'PictureHook', 'PositionBaselineHook',
           'ResumeHook']
