"""The hooks of a run: their order, and how a config changes them."""
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.visualization import Visualizer

from lcvision.config import load_config
from lcvision.engine.hooks.cpu_latency_hook import CPULatencyHook
from lcvision.training.prepare import REQUIRED, complete_hooks, set_hook

ROOT = Path(__file__).parents[2] / 'configs'


def registered(cfg):
    """The hooks that a plain runner would have, in the order in which they run."""
    runner = Runner.__new__(Runner)
    runner._hooks = []
    Visualizer.get_instance('hooks')  # the frameworks' visualization hooks ask for the newest one
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmengine')):
        runner.register_hooks(cfg.default_hooks, cfg.get('custom_hooks'))
    return runner.hooks


def names(cfg):
    return [type(hook).__name__ for hook in registered(cfg)]


def test_they_run_in_this_order():
    street = Config.fromfile(ROOT / 'segmentation/deeplabv3plus_pplcnet_0_5x_sample.py')
    first = ['RuntimeInfoHook', 'FiniteHook', 'SeedHook', 'ResumeHook', 'CompatibleCheckpointHook', 'MemoryFormatHook',
             'IterTimerHook', 'DistSamplerSeedHook']
    last = ['LoggerHook', 'ParamSchedulerHook', 'PictureHook', 'AtomicCheckpointHook']
    assert names(street) == ['PositionBaselineHook', 'CPULatencyHook', *first, 'SegVisualizationHook', *last]
    detector = Config.fromfile(ROOT / 'detection/picodet_pplcnet_1x.py')
    assert names(detector) == ['CPULatencyHook', *first, 'DetVisualizationHook', 'CycleEMAHook', *last]


def test_one_is_set_or_switched_off_by_name():
    path = str(ROOT / 'detection/picodet_pplcnet_1x.py')
    cfg = load_config(path, {'default_hooks.latency.samples': 7})
    assert [hook.budget.samples for hook in registered(cfg) if isinstance(hook, CPULatencyHook)] == [7]
    cfg = load_config(path, {'default_hooks.latency': None, 'default_hooks.visualization': None,
                             'default_hooks.timer': None})
    complete_hooks(cfg)
    assert not {'CPULatencyHook', 'DetVisualizationHook', 'IterTimerHook'} & set(names(cfg))
    set_hook(cfg, 'latency', precision='bf16')
    assert names(cfg).count('CPULatencyHook') == 1


def test_a_config_with_another_runtime_gets_what_a_run_needs():
    cfg = Config(dict(model=dict()))
    complete_hooks(cfg)
    ours = Config.fromfile(ROOT / '_base_/runtime.py').default_hooks
    assert cfg.default_hooks == {name: ours[name] for name in REQUIRED}
    assert {'FiniteHook', 'MemoryFormatHook'} < set(names(cfg)) and 'CPULatencyHook' not in names(cfg)


def test_a_custom_hook_takes_the_place_of_the_default_one():
    cfg = Config.fromfile(ROOT / 'detection/picodet_pplcnet_1x.py')
    cfg.custom_hooks = [dict(type='lcvision.CPULatencyHook', samples=7), dict(type='lcvision.MemoryFormatHook')]
    complete_hooks(cfg)
    set_hook(cfg, 'latency', max_seconds=2.)
    set_hook(cfg, 'memory_format', memory_format='contiguous')
    found = {type(hook).__name__: hook for hook in registered(cfg)}
    assert len(found) == len(names(cfg)) and found['MemoryFormatHook'].memory_format == 'contiguous'
    assert (found['CPULatencyHook'].budget.samples, found['CPULatencyHook'].budget.max_seconds) == (7, 2.)
