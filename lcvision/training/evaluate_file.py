"""Evaluates an exported file by the frameworks' own data sets and metrics."""
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData

from lcvision import environment
from lcvision.config import class_name, load_config
from lcvision.deploy.input_size import evaluation_pipelines
from lcvision.deploy.network import unwrapped
from lcvision.errors import UserError
from lcvision.inference.results import Detections, LabelMap, Result
from lcvision.inference.runtime.file_backend import FileBackend
from lcvision.tasks import CLASSIFICATION, DETECTION, SEGMENTATION
from lcvision.text import listing
from lcvision.training.console import ConsoleHook, build_runner
from lcvision.training.hooks import set_hook
from lcvision.training.prepare import prepare

# What stands in for a config of one's own: data set, metric and steps of the task, and a model that does not run.
_CONFIGS = {DETECTION.name: 'picodet_pplcnet_0_5x', SEGMENTATION.name: 'deeplabv3plus_pplcnet_0_5x',
            CLASSIFICATION.name: 'pplcnet_0_5x'}


class _FileHook(Hook):
    """Lets a file predict in a test, from the images as they are stored."""

    def __init__(self, backend: FileBackend):
        self._backend = backend

    def before_test_epoch(self, runner: Runner) -> None:
        """Puts the file in the place of the model."""
        known: Any = self._backend.dataset_meta['classes']
        found = getattr(runner.test_dataloader.dataset, 'metainfo', {}).get('classes')
        named = not all(name.startswith('class ') for name in known)
        if found and (len(found) != len(known) or (named and tuple(found) != known)):
            raise UserError(f'{self._backend.file.path} knows the classes {listing(known)}, and the data have '
                            f'{listing(found)}: give the data that it was trained for')
        unwrapped(runner.model).test_step = self._test_step

    def _test_step(self, batch: dict[str, Any]) -> list[Any]:
        for image, sample in zip(batch['inputs'], batch['data_samples'], strict=True):
            pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
            _fill(sample, self._backend.predict(pixels), len(self._backend.dataset_meta['classes']))
        return batch['data_samples']


def _fill(sample: Any, result: Result, classes: int) -> None:
    """Writes a result as the frameworks' models do."""
    if isinstance(result, Detections):
        sample.pred_instances = InstanceData(bboxes=torch.from_numpy(result.boxes),
                                             scores=torch.from_numpy(result.scores),
                                             labels=torch.from_numpy(result.labels))
    elif isinstance(result, LabelMap):
        sample.pred_sem_seg = PixelData(data=torch.from_numpy(result.labels.astype(np.int64))[None])
    else:
        scores = torch.zeros(classes)
        scores[torch.from_numpy(result.labels)] = torch.from_numpy(result.scores)
        sample.set_pred_score(scores).set_pred_label(result.label)


def file_metrics(path: str | Path, data: str | Path | None, *, config: Config | None = None, engine: str = 'best',
                 precision: str | None = None, trust_code: bool = False, show_dir: str | Path | None = None,
                 work_dir: str | Path | None = None, verbose: bool = False) -> tuple[dict[str, Any], FileBackend]:
    """Metrics of an exported file, and what ran it.

    Args:
        path: The file.
        data: 'sample' or a folder.
        config: The config that was trained; None takes one of the task, which gives the data set and the metric alone.
        engine, precision, trust_code: As of :class:`lcvision.Predictor`.
        show_dir: Folder for pictures of the predictions; None for no pictures.
        work_dir: Folder of the log; None for ``work_dirs/`` and the file's name.
        verbose: Whether mmengine's whole log is shown.

    Raises:
        UserError: The file cannot be opened or does not fit the data.
    """
    backend = FileBackend(path, engine, environment.usable_threads(), precision, 5, trust_code)
    if data is None:
        raise UserError(f"{path} says nothing about data: give them with --data, 'sample' or a folder")
    config = load_config(config or _CONFIGS[backend.task])
    # They measure the network of the config's model.
    config.default_hooks = {**(config.get('default_hooks') or {}), 'latency': None, 'memory_format': None}
    config.load_from, config.resume, config.custom_hooks = None, False, []
    cfg = prepare(config, data, None, train=False, work_dir=work_dir or f'work_dirs/{Path(path).stem}',
                  memory_format=None, launcher='none', local_rank=0).cfg
    cfg.test_dataloader.batch_size = 1
    for steps in evaluation_pipelines(cfg):
        steps[:] = [step for step in steps if class_name(step).startswith(('Load', 'Pack'))]
        break
    if show_dir:
        set_hook(cfg, 'pictures', out_dir=str(show_dir))
    console = ConsoleHook(shown=not verbose)
    runner = build_runner(cfg, console, verbose)
    runner.register_hook(_FileHook(backend))
    try:
        return runner.test(), backend
    finally:
        console.close()
