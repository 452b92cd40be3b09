"""The metric of a model and of its files, on the same images."""
import copy
import io
import tempfile
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData

from lcvision.deploy.network import unwrapped
from lcvision.errors import UserError
from lcvision.exporting.ladder import FileUnderTest
from lcvision.inference.results import Detections, LabelMap, Result
from lcvision.inference.runtime.preparation import prepare_image
from lcvision.registry import HOOKS
from lcvision.tasks import TASKS, task_of_config
from lcvision.training.evaluate import evaluate

# Points of the task's metric, all right being 100, that a file may lose or win.
LIMITS = {'fp32': 0.05, 'bf16': 0.2}
# What predicts and the number of classes, by path: a config, which names the file, is written to the run's folder.
_OPEN: dict[str, tuple[Callable[[np.ndarray], Result], int]] = {}


@HOOKS.register_module()
class ExportedFileHook(Hook):
    """Lets an exported file predict in a test, from the pixels that the test pipeline has resized.

    Args:
        file: Path of the file, which :func:`own_metric` has opened.
    """

    def __init__(self, file: str):
        self._predict, self._classes = _OPEN[file]

    def before_test_epoch(self, runner: Runner) -> None:
        """Puts the file in the place of the model."""
        unwrapped(runner.model).test_step = self._test_step

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Puts the model back."""
        del unwrapped(runner.model).test_step

    def _test_step(self, batch: dict[str, Any]) -> list[Any]:
        for image, sample in zip(batch['inputs'], batch['data_samples'], strict=True):
            _fill(sample, self._predict(np.ascontiguousarray(image.permute(1, 2, 0).numpy())), self._classes)
        return batch['data_samples']


def _fill(sample: Any, result: Result, classes: int) -> None:
    if isinstance(result, Detections):
        boxes = result.boxes / np.array(tuple(sample.scale_factor) * 2, np.float32)
        sample.pred_instances = InstanceData(bboxes=torch.from_numpy(boxes), scores=torch.from_numpy(result.scores),
                                             labels=torch.from_numpy(result.labels))
    elif isinstance(result, LabelMap):
        if result.labels.shape != tuple(sample.ori_shape[:2]):
            raise UserError('its label maps have the size of its input, and the images another')
        sample.pred_sem_seg = PixelData(data=torch.from_numpy(result.labels.astype(np.int64))[None])
    else:
        scores = torch.zeros(classes)
        scores[torch.from_numpy(result.labels)] = torch.from_numpy(result.scores)
        sample.set_pred_score(scores).set_pred_label(result.label)


def own_metric(config: Config, checkpoint: str | Path, data: str | Path, file: FileUnderTest | None = None) -> float:
    """The first metric of the task, of the model or of one of its files.

    Args:
        config: As the user gave it.
        checkpoint: Of the model.
        data: 'sample' or a folder.
        file: That predicts instead of the model; None for the model.

    Raises:
        UserError: The data cannot be read, or the file cannot take its images.
    """
    config = copy.deepcopy(config)
    config.default_hooks = {**(config.get('default_hooks') or {}), 'latency': None}
    # One of its own, that writes nothing: the one of an earlier run would write to that run's folder.
    config.visualizer = {**(config.get('visualizer') or {'type': 'Visualizer'}), 'name': 'export', 'vis_backends': []}
    if file:
        _OPEN[str(file.path)] = _predictor(file), len(file.metadata['names'])
        config.custom_hooks = [*(config.get('custom_hooks') or []),
                               dict(type='lcvision.ExportedFileHook', file=str(file.path))]
    try:
        with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            metrics = evaluate(config, checkpoint, data, work_dir=folder).metrics
    finally:
        _OPEN.clear()
    return float(metrics[task_of_config(config).metric])


def points(difference: float, task: str) -> float:
    """A difference of a task's metric in points of a hundred."""
    return difference * 100 / TASKS[task].whole


def _size_text(rule: dict[str, Any]) -> str:
    return f'multiples of {rule["divisor"]}' if rule['dynamic'] == 'size' else 'x'.join(map(str, rule['size']))


def _predictor(file: FileUnderTest) -> Callable[[np.ndarray], Result]:
    run, rule = file.load(), {**file.metadata['input'], 'steps': []}

    def predict(image: np.ndarray) -> Result:
        prepared = prepare_image(image, rule)
        padded = prepared.x.shape[1:3] if rule['normalised_inside'] else prepared.x.shape[2:]
        fits = (all(side % rule['divisor'] == 0 for side in padded) if rule['dynamic'] == 'size'
                else list(padded) == rule['size'])
        if not fits:
            raise UserError(f'{file.path.name} cannot be evaluated, since it takes images of {_size_text(rule)} pixels '
                            f'and one has {padded[0]}x{padded[1]}: resize in the test pipeline, or leave out --data')
        return file.result(run(prepared.x), prepared, 0, padded)
    return predict
