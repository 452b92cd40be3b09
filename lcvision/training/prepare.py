"""Makes a config that can run out of a config and a request; training and evaluation share it."""
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.logging import MessageHub

from lcvision.allocator import keep_freed_memory
from lcvision.config import class_name, config_name, load_config, override, unfit
from lcvision.datasets.sources import check_source, use_source
from lcvision.latency.record import LatencyRecord
from lcvision.training.console import start_log
from lcvision.training.launch import use_launcher
from lcvision.training.schedule import fit_schedule, set_epochs, set_iterations

# With other data a batch is at most this share of them, so that an epoch has some steps, but not below this least.
_STEPS_AN_EPOCH, _LEAST_BATCH = 18, 16
_RUNS = count()
# What a new length of the run changes.
_SCHEDULE = ('train_cfg.', 'param_scheduler.', 'default_hooks.', 'model.train_cfg.')
# Our hooks by their names in ``default_hooks``, as ``configs/_base_/runtime.py`` has them.
_HOOKS = dict(finite='FiniteHook', seed='SeedHook', resume='ResumeHook', compatible='CompatibleCheckpointHook',
              latency='CPULatencyHook', memory_format='MemoryFormatHook', pictures='PictureHook', engine='EngineHook')
# What a run has even if its config inherits another runtime.
REQUIRED = ('finite', 'seed', 'resume', 'compatible', 'memory_format')
# mmengine takes None for these alone: it adds them itself where they are left out.
_OF_MMENGINE = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')


@dataclass
class Preparation:
    """A config that can run.

    Attributes:
        cfg: The config, a copy.
        name: The config as it was given, for messages; 'config' where it has no file.
        data: Folder of the data, or 'sample'; empty where the config does not say.
        notes, logged: What differs from the request, a line each, and what has been logged meanwhile.
    """

    cfg: Config
    name: str
    data: str
    notes: list[str]
    logged: StringIO


def _worded(call: Callable[..., Preparation]) -> Callable[..., Preparation]:
    """Makes a sentence of what a config or an option of another shape than expected raises."""
    @wraps(call)
    def worded(config: str | Path | Config, *args: Any, **kwargs: Any) -> Preparation:
        try:
            return call(config, *args, **kwargs)
        except (AttributeError, TypeError, LookupError, ValueError, ArithmeticError) as error:
            if ' registry.' in str(error):  # plain_errors words a type that is not registered
                raise
            raise unfit(config_name(config), error) from error
    return worded


@_worded
def prepare(config: str | Path | Config, data: str | Path | None, cfg_options: dict | None, *, train: bool,
            work_dir: str | Path | None, memory_format: str | None, launcher: str, local_rank: int,
            epochs: int | None = None) -> Preparation:
    """Points a config at data and fits it to them; ``train`` says whether for training, else for a test.

    Every option is applied once: ``image_size``, which says what the sizes in the config are for, before the data are
    put in, those of the schedule after this has been scaled, all others in between. The other arguments are those of
    :func:`lcvision.train`.
    """
    logged = start_log()
    cfg, name = load_config(config), config_name(config)
    options = dict(_flat(cfg_options or {}))
    trial = copy.deepcopy(cfg)
    override(trial, options)  # mistakes are reported before the data are looked at
    torch.set_flush_denormal(True)  # before any parallel loop, whose workers inherit it
    keep_freed_memory()  # a step of a small network takes up to a third less time
    use_launcher(cfg, launcher, local_rank, 'train' if train else 'test')
    schedule = {key: value for key, value in options.items() if f'{key}.'.startswith(_SCHEDULE)}
    number, notes = _use_data(cfg, data, {key: options[key] for key in options.keys() - schedule}, train)
    if train:
        notes += _set_length(cfg, trial, epochs, number)
        override(cfg, schedule)
        notes += fit_schedule(cfg, number)
    else:
        override(cfg, schedule)
    cfg.work_dir = str(work_dir or cfg.get('work_dir') or f'work_dirs/{Path(name).stem}')
    (cfg.get('visualizer') or {}).pop('name', None)  # else a second run in a process would write to the first's folder
    # By this name and the second at which it starts mmengine finds what belongs to a run.
    cfg.experiment_name = f"{cfg.get('experiment_name') or Path(name).stem}_{next(_RUNS)}"
    complete_hooks(cfg)
    if memory_format:
        set_hook(cfg, 'memory_format', memory_format=memory_format)
    place = data or ((cfg.get('test_dataloader') or {}).get('dataset') or {}).get('data_root') or ''
    return Preparation(cfg, name, str(place), notes, logged)


def _flat(options: Mapping, prefix: str = '') -> Iterator[tuple[str, Any]]:
    for key, value in options.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}', value


def _use_data(cfg: Config, data: str | Path | None, options: dict, train: bool) -> tuple[int, list[str]]:
    """Returns the number of images and what was changed."""
    if not data:
        override(cfg, options)
        return check_source(cfg, train), []
    if 'image_size' in options:
        override(cfg, {'image_size': options.pop('image_size')})
    number = use_source(cfg, str(data), train).num_images
    override(cfg, options)
    loader = cfg.train_dataloader
    batch = min(loader.batch_size, max(_LEAST_BATCH, number // _STEPS_AN_EPOCH))
    if not train or 'train_dataloader.batch_size' in options or batch == loader.batch_size:
        return number, []
    note = (f'batch size {loader.batch_size} -> {batch}: an epoch would have {number // loader.batch_size} steps; '
            '--cfg-options train_dataloader.batch_size=N sets another')
    loader.batch_size = batch
    return number, [note]


def _set_length(cfg: Config, asked: Config, epochs: int | None, num_images: int) -> list[str]:
    planned = cfg.train_cfg.get('max_iters')
    if epochs is not None:
        return [set_epochs(cfg, epochs, num_images)]
    if planned and asked.train_cfg.max_iters != planned:
        return [set_iterations(cfg, asked.train_cfg.max_iters, planned)]
    return []


def complete_hooks(cfg: Config) -> None:
    """Adds the hooks that every run needs, and removes those set to None or also given as custom hooks."""
    hooks = cfg.get('default_hooks') or {}
    own = {class_name(hook) for hook in cfg.get('custom_hooks') or [] if isinstance(hook, dict)}
    cfg.default_hooks = {name: dict(type=f'lcvision.{_HOOKS[name]}') for name in REQUIRED} | hooks
    cfg.default_hooks = {name: hook for name, hook in cfg.default_hooks.items()
                         if (hook is not None or name in _OF_MMENGINE) and _HOOKS.get(name) not in own}


def find_hook(cfg: Config, name: str) -> ConfigDict | None:
    """Returns the settings of a hook, which may be among the custom hooks as well."""
    hooks = [cfg.default_hooks.get(name), *(cfg.get('custom_hooks') or [])]
    return next((hook for hook in hooks if isinstance(hook, dict) and class_name(hook) == _HOOKS[name]), None)


def set_hook(cfg: Config, name: str, **settings: object) -> None:
    """Changes settings of a hook; adds it if it is not there."""
    hook = find_hook(cfg, name)
    if hook is None:
        cfg.merge_from_dict(dict(default_hooks={name: dict(type=f'lcvision.{_HOOKS[name]}', **settings)}))
    else:
        hook.update(settings)


def latency_records(hub: MessageHub) -> list[LatencyRecord]:
    """What the last validation or test of a run measured."""
    return [LatencyRecord.from_json(record, 'latency/records') for record in hub.get_info('latency/records') or []]
