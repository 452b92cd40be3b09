"""What ``--data`` means: points a config at a folder or at the rendered sample, classes included.

A task's module has ``LAYOUTS``, ``use_source(cfg, layout, root, train)`` and ``check_source(cfg, train)``. A layout is
a module with ``LAYOUT``, its description; ``holds(root)``, whether a folder or file is in it, the first that says so is
taken; and ``find(root, split, other)``, which checks a split, 'train' or 'val', and returns it as a
:class:`lcvision.datasets.layout.Split`, or in segmentation as the entries of a dataset's config, whose files the task
then checks. ``other`` is what it returned for another split of the same root, None for the first.
"""
import os
from importlib import import_module
from pathlib import Path
from types import ModuleType

from mmengine.config import Config

from lcvision.datasets.layout import Split
from lcvision.datasets.sample.rendered_folder import ensure_rendered_folder
from lcvision.datasets.sample.sets import RENDERERS
from lcvision.errors import UserError
from lcvision.tasks import task_of_config

_SAMPLE_ROOT = Path('data/sample')


def use_source(cfg: Config, source: str, train: bool) -> Split:
    """Points a config at other data; returns the training split, or the other one without ``train``.

    Args:
        cfg: Changed in place: datasets, evaluators, class names and ``num_classes``.
        source: 'sample' for the rendered set, else a folder or file in a layout of the config's task.
        train: Whether the training split is needed, too.
    """
    task, module = task_of_config(cfg), _module_of(cfg)
    layouts = ', or '.join(layout.LAYOUT for layout in module.LAYOUTS)
    root = _SAMPLE_ROOT / task.name if source == 'sample' else Path(source)
    if source == 'sample':
        ensure_rendered_folder(root, RENDERERS[task.name])
    # The methods of Path would raise at a name that no file can have.
    elif not (os.path.isdir(root) or os.path.isfile(root)):  # noqa: PTH112, PTH113
        raise UserError(f"--data {source}: no such folder; give {layouts}, or 'sample'")
    layout = next((layout for layout in module.LAYOUTS if layout.holds(root)), None)
    if layout is None:
        raise UserError(f'{root} is no data set for {task.name}: give {layouts}')
    return module.use_source(cfg, layout, root, train)


def check_source(cfg: Config, train: bool) -> int:
    """Checks the data that a config itself names; returns how many images there are to train, or else to test on."""
    return _module_of(cfg).check_source(cfg, train)


def _module_of(cfg: Config) -> ModuleType:
    # The others' frameworks need not be installed.
    return import_module(f'{__name__}.{task_of_config(cfg).name}')
