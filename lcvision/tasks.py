"""How detection, segmentation and classification differ."""
from collections.abc import Container
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lcvision.errors import UserError

if TYPE_CHECKING:
    from mmengine.config import Config


@dataclass(frozen=True)
class Task:
    """What a network is for.

    Attributes:
        name: In records and reports.
        scope: ``default_scope`` of its configs.
        head: Part of its models that gives the raw outputs.
        prediction: What its models add to a data sample.
        metrics: Name of each metric, in a report of ``lcvision test`` and in a run's log, to its title; the first one
            ranks models.
        whole: A metric's value for all right.
        title: Of the axis of the first metric.
    """

    name: str
    scope: str
    head: str
    prediction: str
    metrics: dict[str, str]
    whole: int
    title: str

    @property
    def metric(self) -> str:
        """Name of the metric that ranks models."""
        return next(iter(self.metrics))


DETECTION = Task('detection', 'mmdet', 'bbox_head', 'pred_instances',
                 {'coco/bbox_mAP': 'mAP', 'coco/bbox_mAP_50': 'AP50'}, 1, 'mAP')
SEGMENTATION = Task('segmentation', 'mmseg', 'decode_head', 'pred_sem_seg',
                    {'mIoU': 'mIoU', 'aAcc': 'pixel accuracy'}, 100, 'mIoU')
CLASSIFICATION = Task('classification', 'mmpretrain', 'head', 'pred_label',
                      {'accuracy/top1': 'top-1', 'accuracy/top5': 'top-5'}, 100, 'top-1 accuracy')
TASKS = {task.name: task for task in (DETECTION, SEGMENTATION, CLASSIFICATION)}
"""By name, in the order of pages."""


def task_of(model: object) -> Task:
    """The task of a model, by the head that it has; a UserError if it has none."""
    for task in TASKS.values():
        if hasattr(model, 'backbone') and hasattr(model, task.head):
            return task
    raise UserError(f'{type(model).__name__} cannot be measured as one network: it has to be a single-stage detector, '
                    'an encoder-decoder segmentor or an image classifier, with a backbone and a bbox_head, decode_head '
                    'or head')


def task_of_config(config: 'Config') -> Task:
    """The task of a config, by its ``default_scope``; a UserError if that is none of the three frameworks."""
    scope = config.get('default_scope')
    for task in TASKS.values():
        if task.scope == scope:
            return task
    raise UserError(f'{config.filename}: default_scope={scope!r} is no task whose data can be found: it must be '
                    f'one of {", ".join(repr(task.scope) for task in TASKS.values())}')


def task_of_metrics(metrics: Container[str]) -> Task | None:
    """The task whose ranking metric a report or a line of a log has, None where it has none's."""
    return next((task for task in TASKS.values() if task.metric in metrics), None)
