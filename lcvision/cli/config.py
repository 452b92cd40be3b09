"""Reads a config as a user names it."""
from pathlib import Path

from mmengine.config import Config

from lcvision.errors import UserError


def load_config(path: str, cfg_options: dict | None = None) -> Config:
    """Reads a config file.

    Args:
        path: Its path.
        cfg_options: Entries to override, as ``--cfg-options`` gives them.

    Raises:
        UserError: It is missing, is no config of a model, or ``cfg_options`` does not fit it.
    """
    if not Path(path).is_file():
        near = sorted(str(p) for p in Path('configs').glob('*/*.py') if p.parent.name != '_base_')
        known = f'; there are {", ".join(near[:4])}{", ..." if len(near) > 4 else ""}' if near else ''
        raise UserError(f'no config file {path}{known}')
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config is a program: it can fail in any way
        reason = (str(error).strip().splitlines() or [''])[-1]
        raise UserError(f'{path} is not a config file that can be read: {type(error).__name__}: {reason}') from error
    if 'model' not in cfg:
        raise UserError(f"{path} has no 'model': give a config of configs/detection, segmentation or "
                        'classification')
    override(cfg, cfg_options)
    return cfg


def override(cfg: Config, cfg_options: dict | None) -> None:
    """Applies ``--cfg-options``.

    Raises:
        UserError: A key leads through something that is no dict or list.
    """
    if not cfg_options:
        return
    try:
        cfg.merge_from_dict(cfg_options)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise UserError(f'--cfg-options {" ".join(cfg_options)} does not fit the config: {error}') from error
