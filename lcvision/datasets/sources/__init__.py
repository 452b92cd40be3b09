"""What ``--data`` means: points a config at a folder or at the rendered sample, classes included.

A task's module has ``LAYOUT``, ``use_source(cfg, root, train)`` and ``check_source(cfg, train)``.
"""
import os
from pathlib import Path
from typing import Protocol

from mmengine.config import Config

from lcvision.datasets.sample import RENDERERS, ensure_rendered_folder
from lcvision.datasets.sources import classification, detection, segmentation
from lcvision.errors import UserError
from lcvision.tasks import task_of_config

_SAMPLE_ROOT = Path('data/sample')


class Split(Protocol):
    """One split of a data set, whatever the task."""

    @property
    def num_images(self) -> int:
        """Images of the split."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the labels."""


# Name of a task to the module that knows its data.
_SOURCES = {'detection': detection, 'segmentation': segmentation, 'classification': classification}


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
    task = task_of_config(cfg)
    module = _SOURCES[task.name]
    if source == 'sample':
        root = ensure_rendered_folder(_SAMPLE_ROOT / task.name, RENDERERS[task.name])
    else:
        root = Path(source)
        # The methods of Path would raise at a name that no file can have.
        if not (os.path.isdir(root) or os.path.isfile(root)):  # noqa: PTH112, PTH113
            raise UserError(f"--data {source}: no such folder; give {module.LAYOUT} or 'sample'")
    return module.use_source(cfg, root, train)


def check_source(cfg: Config, train: bool) -> int:
    """Checks the data that a config names by itself.

    Returns:
        Images of the training split, or of the test split without ``train``.

    Raises:
        UserError: It is missing or faulty; a missing one is told with the folder expected and the ways out.
    """
    return _SOURCES[task_of_config(cfg).name].check_source(cfg, train)
