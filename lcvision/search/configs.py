"""The config of a candidate, and what its network takes."""
import copy
import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import MODELS, DefaultScope

from lcvision.complexity import count_complexity
from lcvision.config import config_name, inner_dicts, load_config, override
from lcvision.deploy.input_size import find_input_size
from lcvision.deploy.network import RawNetwork, build_model
from lcvision.errors import UserError
from lcvision.tasks import task_of

_SIZE_KEYS = ('scale', 'size', 'crop_size')

_read = functools.cache(load_config)


def make_config(config: str, options: Mapping[str, Any], name: str = '') -> Config:
    """A config with other entries.

    The widths of the neck's and the head's inputs follow those of the backbone's outputs.

    Args:
        config: Path or name of the config.
        options: Entries to override; ``image_size`` changes the sizes in the pipelines as well.
        name: Appended to the config's name; empty leaves that as it is.

    Raises:
        UserError: An entry does not fit, or the config's backbone does not build with them.
    """
    cfg, entries = copy.deepcopy(_read(config)), dict(options)
    size = entries.pop('image_size', None)
    override(cfg, entries)
    if size is not None:
        _resize(cfg, size)
    if any(key.startswith('model.backbone.') for key in entries):
        _join_backbone(cfg)
    if not name:
        return cfg
    return Config(cfg._cfg_dict, cfg_text=' ', filename=f'{Path(config_name(cfg)).stem}_{name}.py')


def bare_network(cfg: Config) -> RawNetwork:
    """The network of a config without memory behind it, for counting."""
    with torch.device('meta'):
        model = build_model(cfg, calibrated=False)
    parts = dict(model.named_children())
    return RawNetwork(parts['backbone'], parts.get('neck'), parts[task_of(model).head])


def count(network: RawNetwork, cfg: Config) -> tuple[int, int]:
    """What the papers' tables print: parameters with the statistics of norms, and multiply-adds at the test size."""
    counts = count_complexity(network, torch.empty(1, 3, *find_input_size(cfg), device='meta'))
    return counts.params + counts.buffers, counts.macs


def _resize(cfg: Config, side: int) -> None:
    """Sets the side of the images wherever the pipelines have the config's own."""
    own = cfg.get('image_size')
    old = own if isinstance(own, int) else own[0] if own else None
    if old is None or not (isinstance(own, int) or len(set(own)) == 1):
        raise UserError(f'{cfg.filename}: image_size={own} must be the side of square images, for the pool varies it')
    for step in _steps(cfg):
        for key in _SIZE_KEYS:
            value = step.get(key)
            if value == old:
                step[key] = side
            elif isinstance(value, list | tuple) and set(value) == {old}:
                step[key] = (side,) * len(value)
    cfg.image_size = side if isinstance(own, int) else (side, side)


def _steps(cfg: Config) -> Iterator[dict]:
    for name in ('train', 'val', 'test'):
        for part in inner_dicts(cfg.get(f'{name}_dataloader') or {}):
            yield from (step for step in part.get('pipeline') or () if isinstance(step, dict))


def _join_backbone(cfg: Config) -> None:
    """Gives neck and head the widths of the backbone's outputs."""
    try:
        channels, head_channels = _widths(json.dumps(cfg.model.backbone), cfg.get('default_scope') or 'mmengine')
    except (TypeError, ValueError, KeyError) as error:
        raise UserError(f'{cfg.filename}: its backbone does not build with the entries of the pool: {error}') from error
    neck, head = (cfg.model.get(part) or ConfigDict() for part in ('neck', 'head'))
    if 'in_channels' in neck:
        neck.in_channels = list(channels)
    elif 'in_channels' in head:
        head.in_channels = channels[-1]
        if head.get('mid_channels') and head_channels:
            head.mid_channels = head_channels


@functools.cache
def _widths(backbone: str, scope: str) -> tuple[tuple[int, ...], int | None]:
    with DefaultScope.overwrite_default_scope(scope):
        built = MODELS.build(json.loads(backbone))
    return tuple(built.out_channels), getattr(built, 'head_channels', None)
