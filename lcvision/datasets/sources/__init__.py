"""What ``--data`` means: points a config at a folder or at the rendered sample, classes included.

A task's module has ``use_source(cfg, root, train)``, ``check_source(cfg, train)`` and the sample it renders.
"""
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mmengine.config import Config

from lcvision.datasets.sample import RENDERERS, ensure_rendered_folder
from lcvision.datasets.sources import classification, detection, segmentation
from lcvision.errors import UserError

_SAMPLE_ROOT = Path('data/sample')


class Split(Protocol):
    """One split of a data set, whatever the task."""

    @property
    def num_images(self) -> int:
        """Images of the split."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the labels."""


@dataclass(frozen=True)
class _Task:
    name: str
    layout: str
    use: Callable[[Config, Path, bool], Split]
    check: Callable[[Config, bool], int]


# By default_scope.
_TASKS = {
    'mmdet': _Task('detection', 'a folder in COCO layout', detection.use_source, detection.check_source),
    'mmseg': _Task('segmentation', 'a folder in Cityscapes layout, or with images/ and masks/', segmentation.use_source,
                   segmentation.check_source),
    'mmpretrain': _Task('classification', 'a tree of images (train/CLASS/*.jpg, val/CLASS/*.jpg) or an .npz file',
                        classification.use_source, classification.check_source),
}


def use_source(cfg: Config, source: str, train: bool) -> Split:
    """Points a config at other data.

    Args:
        cfg: Changed in place: datasets, evaluators, class names and ``num_classes``.
        source: 'sample' for the rendered set, else a folder in the layout of the config's task.
        train: Whether the training split is needed, too.

    Returns:
        The training split, or the other one without ``train``.

    Raises:
        UserError: The folder is missing, not in the task's layout or faulty.
    """
    task = _task(cfg)
    if source == 'sample':
        root = ensure_rendered_folder(_SAMPLE_ROOT / task.name, RENDERERS[task.name])
    else:
        root = Path(source)
        # The methods of Path would raise at a name that no file can have.
        if not (os.path.isdir(root) or os.path.isfile(root)):  # noqa: PTH112, PTH113
            raise UserError(f"--data {source}: no such folder; give {task.layout} or 'sample'")
    return task.use(cfg, root, train)


def check_source(cfg: Config, train: bool) -> int:
    """Checks the data that a config names by itself.

    Returns:
        Images of the training split, or of the test split without ``train``.

    Raises:
        UserError: It is missing or faulty; a missing one is told with the folder expected and the ways out.
    """
    return _task(cfg).check(cfg, train)


def _task(cfg: Config) -> _Task:
    scope = cfg.get('default_scope')
    if scope not in _TASKS:
        raise UserError(f'{cfg.filename}: default_scope={scope!r} tells no task whose data can be found: it must be '
                        f'one of {", ".join(map(repr, _TASKS))}')
    return _TASKS[scope]
