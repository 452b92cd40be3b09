"""Reads a config as a user names it."""
import copy
import os
import traceback
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

from lcvision.errors import UserError
from lcvision.frameworks import config_folders, require

# Inside an installed package, next to it in the repository.
_FOLDER = next((folder for parent in Path(__file__).resolve().parents[:2] if (folder := parent / 'configs').is_dir()),
               Path('configs'))
# What the tools change or read must be of these kinds.
_NODES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(('model', 'train_cfg', 'val_cfg', 'test_cfg', 'train_dataloader', 'val_dataloader',
                     'test_dataloader', 'optim_wrapper', 'default_hooks', 'env_cfg', 'visualizer'), dict),
    **dict.fromkeys(('val_evaluator', 'test_evaluator', 'param_scheduler'), (dict, list)),
    'custom_hooks': list, 'load_from': str, 'work_dir': str}
_EMPTY: dict[str, dict | list] = {'default_hooks': {}, 'custom_hooks': [], 'param_scheduler': []}
_COUNTS = {'train_cfg': ('max_epochs', 'max_iters', 'val_interval'), 'train_dataloader': ('batch_size',),
           'val_dataloader': ('batch_size',), 'test_dataloader': ('batch_size',)}


class ConfigOptions(DictAction):
    """``--cfg-options``, with a sentence for each mistake."""

    def __call__(self, parser, namespace, values, option_string=None):  # type: ignore[no-untyped-def]
        """Reads the entries."""
        try:
            super().__call__(parser, namespace, values, option_string)
        except (ValueError, AssertionError, RecursionError):
            raise UserError(f'--cfg-options {" ".join(values)[:200]}: give KEY=VALUE, as in optim_wrapper.optimizer.lr='
                            '0.1, every bracket closed') from None


def find_config(name: str) -> str:
    """The file of a config; a UserError where there is none, or the name is that of several.

    It is named by its path or, in this package, as 'picodet_pplcnet_1x' or 'detection/picodet_pplcnet_1x', also with
    the ending .py and behind 'configs/'. Those of the installed frameworks, as 'rtmdet_tiny_8xb32-300e_coco', are
    looked for where this package has none of the name.
    """
    if os.path.isfile(name):  # noqa: PTH113  (a method of Path would raise at a name that no file can have)
        return name
    shipped = sorted(_FOLDER.glob('[!_]*/*.py'))
    found: list[Path] = []
    for paths in (shipped, (path for folder in config_folders() for path in sorted(folder.glob('[!_]*/*.py')))):
        found = found or [path for path in paths if path.as_posix().endswith(f'/{name.removesuffix(".py")}.py')]
    if len(found) == 1:
        return os.path.relpath(found[0]) if found[0].is_relative_to(Path.cwd()) else str(found[0])
    if found:
        names = (f'{path.parent.name}/{path.stem}' for path in found)
        raise UserError(f'{name} is the name of several configs: give {" or ".join(names)}')
    near = ', '.join(get_close_matches(Path(name).stem, dict.fromkeys(path.stem for path in shipped), 4))
    raise UserError(f'no config file {name}, and no config of this package or of a framework has this name: '
                    + (f'similar names are {near}' if near else f'they are in {_FOLDER}'))


def load_config(config: str | Path | Config, cfg_options: dict | None = None) -> Config:
    """Reads a config by its path or name, see :func:`find_config`, or copies one, with ``--cfg-options`` applied.

    Raises:
        UserError: It is missing, is no config of a model, needs a framework that is not installed, or
            ``cfg_options`` does not fit it.
    """
    if isinstance(config, Config):
        path, cfg = config_name(config), copy.deepcopy(config)
    else:
        path = find_config(str(config))
        try:
            cfg = Config.fromfile(path)
        except Exception as error:  # a config is a program: it can fail in any way
            reason = (str(error).strip().splitlines() or [''])[-1]
            raise UserError(f'{path} is no readable config file: {type(error).__name__}: {reason}') from error
    if 'model' not in cfg:
        raise UserError(f"{path} has no 'model': give a config of configs/detection, segmentation or classification")
    require(cfg.get('default_scope'), path)
    _check_nodes(cfg)
    override(cfg, cfg_options)
    return cfg


def config_name(config: str | Path | Config) -> str:
    """What a config is called: as it was given, or its file."""
    return str(config.filename or 'config') if isinstance(config, Config) else str(config)


def class_name(settings: Mapping) -> str:
    """The name of the class that an entry builds, given with or without its scope, or as the class."""
    kind = settings.get('type', '')
    return getattr(kind, '__name__', str(kind)).rpartition('.')[2]


def inner_dicts(part: Any) -> Iterator[Any]:
    """All dicts of a part of a config, outer ones first."""
    if isinstance(part, dict):
        yield part
    for value in [*part.values()] if isinstance(part, dict) else part if isinstance(part, list | tuple) else ():
        yield from inner_dicts(value)


def unfit(name: str, error: Exception) -> UserError:
    """The sentence for a config that does not fit what is done with it: what was raised, and where."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    said = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip().split('\n')[0]
    return UserError(f'{name} with its options cannot be run: {type(error).__name__}: {said[:300]} '
                     f'({Path(where.filename).name}:{where.lineno})')


def override(cfg: Config, cfg_options: dict | None) -> None:
    """Applies ``--cfg-options``; a UserError where a key or a value does not fit."""
    if not cfg_options:
        return
    try:
        cfg.merge_from_dict(cfg_options)
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise UserError(f'--cfg-options {" ".join(cfg_options)[:200]} does not fit the config: {error}') from error
    emptied = [key for key in cfg_options if key in _NODES and key not in (*_EMPTY, 'load_from')
               and cfg.get(key) is None]
    if emptied:
        raise UserError(f'--cfg-options {emptied[0]}=None: the tools need this entry')
    _check_nodes(cfg)


def _check_nodes(cfg: Config) -> None:
    for key, kinds in _NODES.items():
        value = cfg.get(key)
        if value is None and key in cfg and key in _EMPTY:
            cfg[key] = _EMPTY[key]
        elif value is not None and not isinstance(value, kinds):
            named = ' or '.join(kind.__name__ for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
            raise UserError(f'{key}={str(value)[:80]!r} in the config: this entry is a {named}')
    for key, names in _COUNTS.items():
        node = cfg.get(key) or {}
        for name in names:
            if name in node and not (isinstance(node[name], int) and node[name] >= 1):
                raise UserError(f'{key}.{name}={node[name]!r}: give a whole number of at least 1')
