"""The mIoU of a predictor that never looks at an image."""
from collections.abc import Iterable, Iterator
from math import ceil, sqrt

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.runner import Runner

from lcvision.errors import UserError
from lcvision.registry import DATASETS, HOOKS, TRANSFORMS

_LOADERS = ('LoadMask', 'LoadAnnotations')
# What counts of a set: masks in training, evenly spaced, and positions of each mask, in evenly spaced rows and columns.
_MASKS, _POSITIONS = 1000, 2**18


@HOOKS.register_module()
class PositionBaselineHook(Hook):
    """Adds ``mIoU_position`` to the metrics: the mIoU of naming each pixel's most frequent class in training.

    Street scenes look alike, road below and sky above: an mIoU means little without this one beside it. It is computed
    once, from the masks alone, over the classes that occur in the evaluated split, in percent. It is exact for up to
    1000 training masks of up to 512 x 512 pixels; of more an evenly spaced thousand counts, of larger ones every
    second row and column, or third and so on.

    Differs: mmseg has no such number.
    """

    # Before RuntimeInfoHook, which takes the metrics for the log.
    priority = 'HIGHEST'

    def __init__(self) -> None:
        self._value: float | None = None

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        self._add(runner, runner.val_dataloader.dataset, metrics)

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        self._add(runner, runner.test_dataloader.dataset, metrics)

    def _add(self, runner: Runner, evaluated: BaseDataset, metrics: dict | None) -> None:
        if metrics is None:
            return
        if self._value is None:
            settings = runner.cfg.train_dataloader.dataset
            try:
                masks = _masks(DATASETS.build(settings), _MASKS)
            except (FileNotFoundError, UserError) as error:
                runner.logger.warning(f'mIoU_position is left out, since the training masks cannot be read: {error}')
                return
            self._value = round(100 * position_miou(masks, _masks(evaluated), len(evaluated.metainfo['classes'])), 2)
        metrics['mIoU_position'] = self._value


def position_miou(train: Iterable[np.ndarray], evaluated: Iterable[np.ndarray], num_classes: int) -> float:
    """mIoU, 0..1, of predicting at each position the class most frequent there in training.

    Args:
        train: Label maps, uint8 (H, W); labels of ``num_classes`` and more do not count. Maps of another size than
            the first are resized to it.
        evaluated: Label maps; the prediction is resized to each.
        num_classes: Classes; those without a pixel in ``evaluated`` are left out of the mean.
    """
    counts, shape = np.zeros(0, np.int32), (0, 0)
    for mask in map(_thinned, train):
        if not counts.size:
            shape = mask.shape
            # One more class for what does not count.
            counts = np.zeros(mask.size * (num_classes + 1), np.int32)
            begin = np.arange(mask.size) * (num_classes + 1)
        counts[begin + np.minimum(_resized(mask, shape), num_classes).ravel()] += 1
    if not counts.size:
        raise UserError('there is no training mask to count positions in: give a data set with a training split')
    prior = counts.reshape(*shape, -1)[..., :num_classes].argmax(2).astype(np.uint8)
    confusion = np.zeros((num_classes, num_classes), np.int64)
    for mask in map(_thinned, evaluated):
        valid = mask < num_classes
        pairs = mask[valid].astype(np.int64) * num_classes + _resized(prior, mask.shape)[valid]
        confusion += np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)
    labelled, hits = confusion.sum(1), np.diag(confusion)
    present = labelled > 0
    return float((hits / (labelled + confusion.sum(0) - hits).clip(1))[present].mean()) if present.any() else 0.


def _masks(dataset: BaseDataset, most: int | None = None) -> Iterator[np.ndarray]:
    """Label maps of a dataset or a wrapper of one, read by its own loading step: ``most``, evenly spaced, or all."""
    while hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    load = next((step for step in dataset.pipeline.transforms if type(step).__name__ in _LOADERS),
                None) or TRANSFORMS.build(dict(type='lcvision.LoadMask'))
    step = max(1, -(-len(dataset) // most)) if most else 1
    for index in range(0, len(dataset), step):
        yield load(dataset.get_data_info(index))['gt_seg_map']


def _thinned(mask: np.ndarray) -> np.ndarray:
    step = ceil(sqrt(mask.size / _POSITIONS))
    return mask[::step, ::step]


def _resized(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if mask.shape == tuple(shape):
        return mask
    rows = np.arange(shape[0]) * mask.shape[0] // shape[0]
    columns = np.arange(shape[1]) * mask.shape[1] // shape[1]
    return mask[rows[:, None], columns]
