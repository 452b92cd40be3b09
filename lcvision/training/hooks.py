"""Our hooks in a run's config: by name in ``default_hooks``, as ``configs/_base_/runtime.py`` has them."""
from mmengine.config import Config, ConfigDict

from lcvision.config import class_name

_TYPES = dict(finite='FiniteHook', resume='ResumeHook', compatible='CompatibleCheckpointHook', latency='CPULatencyHook',
              memory_format='MemoryFormatHook', pictures='PictureHook', engine='EngineHook')
# What a run has even if its config inherits another runtime.
REQUIRED = ('finite', 'resume', 'compatible', 'memory_format')
# mmengine takes None for these alone: it adds them itself where they are left out.
_OF_MMENGINE = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')


def complete_hooks(cfg: Config) -> None:
    """Adds the hooks that every run needs, and removes those set to None or also given as custom hooks."""
    hooks = cfg.get('default_hooks') or {}
    own = {class_name(hook) for hook in cfg.get('custom_hooks') or [] if isinstance(hook, dict)}
    cfg.default_hooks = {name: dict(type=f'lcvision.{_TYPES[name]}') for name in REQUIRED} | hooks
    cfg.default_hooks = {name: hook for name, hook in cfg.default_hooks.items()
                         if (hook is not None or name in _OF_MMENGINE) and _TYPES.get(name) not in own}


def find_hook(cfg: Config, name: str) -> ConfigDict | None:
    """Returns the settings of a hook, which may be among the custom hooks as well."""
    hooks = [cfg.default_hooks.get(name), *(cfg.get('custom_hooks') or [])]
    return next((hook for hook in hooks if isinstance(hook, dict) and class_name(hook) == _TYPES[name]), None)


def set_hook(cfg: Config, name: str, **settings: object) -> None:
    """Changes settings of a hook; adds it if it is not there."""
    hook = find_hook(cfg, name)
    if hook is None:
        cfg.merge_from_dict(dict(default_hooks={name: dict(type=f'lcvision.{_TYPES[name]}', **settings)}))
    else:
        hook.update(settings)
