"""Evaluates a checkpoint, whose latency is measured, or an exported file, with the frameworks' data and metrics."""
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData

from lcvision import environment
from lcvision.config import class_name, config_name, load_config
from lcvision.deploy.engines import select_engine
from lcvision.deploy.input_size import evaluation_pipelines
from lcvision.deploy.network import unwrapped
from lcvision.errors import UserError, plain_errors
from lcvision.inference.results import Detections, LabelMap, Result
from lcvision.inference.runtime.exported_file import ENGINES, is_exported
from lcvision.inference.runtime.file_backend import FileBackend
from lcvision.latency.record import LatencyRecord
from lcvision.tasks import CLASSIFICATION, DETECTION, SEGMENTATION
from lcvision.text import listing
from lcvision.training.console import ConsoleHook, build_runner
from lcvision.training.launch import quiet_warnings
from lcvision.training.prepare import find_hook, latency_records, prepare, set_hook
from lcvision.weights.safe_load import existing_file, load_state_dict_file

# What stands in for a config where a file has none: data set, metric and steps of its task; the model does not run.
_CONFIGS = {DETECTION.name: 'picodet_pplcnet_0_5x', SEGMENTATION.name: 'deeplabv3plus_pplcnet_0_5x',
            CLASSIFICATION.name: 'pplcnet_0_5x'}


@dataclass(frozen=True)
class Evaluation:
    """What a test finds.

    Attributes:
        config, checkpoint: What was evaluated; an exported file is both.
        metrics: By name, such as 'coco/bbox_mAP', 'mIoU', 'accuracy/top1' and 'latency/net_ms'.
        latency: Records of the latency.
        engine, precision: What ran the network, and in which precision; None for the model itself.
    """

    config: str
    checkpoint: str
    metrics: dict[str, Any]
    latency: list[LatencyRecord]
    engine: str | None = None
    precision: str | None = None


@plain_errors()
@quiet_warnings()
def evaluate(config: str | Path | Config, checkpoint: str | Path | None = None, data: str | Path | None = None, *,
             engine: str | None = None, precision: str | None = None, show_dir: str | Path | None = None,
             work_dir: str | Path | None = None, memory_format: str | None = None, cfg_options: dict | None = None,
             launcher: str = 'none', local_rank: int = 0, verbose: bool = False,
             trust_code: bool = False) -> Evaluation:
    """Evaluates a checkpoint and measures its latency on this CPU; the other arguments are those of :func:`train`.

    Args:
        config: Path or name of a config, or the config itself, which is not changed. Or an exported file, .onnx, .xml
            or .pt2, whose metrics are found without a config and whose latency is not measured.
        checkpoint: .pth or .safetensors; read as data, nothing in it is executed. None for an exported file.
        engine: What runs the network, one image after the other, see ``lcvision.deploy.engines``; None for the model
            itself.
        precision: Of the engine; None for 'fp32'.
        show_dir: Folder for pictures of the predictions; None for no pictures.
        trust_code: Whether a .pt2 file may be loaded: it is machine code, which then runs.

    Raises:
        UserError: Something asked for cannot be done; the sentence says what to do instead.
    """
    if is_exported(config):
        unused = dict(checkpoint=checkpoint, cfg_options=cfg_options, memory_format=memory_format,
                      launcher=None if launcher == 'none' else launcher)
        if asked := [name for name, value in unused.items() if value]:
            raise UserError(f'{config} is an exported file, which has neither config nor checkpoint: leave out '
                            f"{asked[0].replace('_', '-')}")
        return evaluate_file(str(config), data, engine=engine or 'best', precision=precision, trust_code=trust_code,
                             show_dir=show_dir, work_dir=work_dir, verbose=verbose)
    if checkpoint is None:
        raise UserError(f'{config_name(config)} without a checkpoint: give a config with its checkpoint, or an '
                        f'exported file ({", ".join(ENGINES)}) alone')
    chosen = dict(engine=engine or 'eager', precision=precision or 'fp32') if engine or precision else {}
    if chosen:
        if not isinstance(config, Config):
            load_config(str(config))  # what it imports may register the engine
        select_engine(**chosen)
    checkpoint = str(existing_file(checkpoint))
    load_state_dict_file(checkpoint)
    prepared = prepare(config, data, cfg_options, train=False, work_dir=work_dir, memory_format=memory_format,
                       launcher=launcher, local_rank=local_rank)
    cfg = prepared.cfg
    cfg.load_from, cfg.resume = checkpoint, False
    # The checkpoint has the averaged weights as its model; nothing is averaged here.
    cfg.custom_hooks = [hook for hook in cfg.get('custom_hooks') or [] if not class_name(hook).endswith('EMAHook')]
    if chosen:
        if find_hook(cfg, 'latency'):
            set_hook(cfg, 'latency', **chosen)
        set_hook(cfg, 'engine', **chosen)
    metrics, hub = _test(cfg, show_dir, verbose)
    if chosen:
        chosen['engine'] = hub.get_info('engine')
    return Evaluation(prepared.name, checkpoint, metrics, latency_records(hub), **chosen)


def evaluate_file(path: str | Path, data: str | Path | None, *, config: Config | None = None, engine: str = 'best',
                  precision: str | None = None, trust_code: bool = False, show_dir: str | Path | None = None,
                  work_dir: str | Path | None = None, verbose: bool = False) -> Evaluation:
    """Evaluates an exported file, without its latency; the other arguments are those of :func:`evaluate`.

    Args:
        path, data: The file, and 'sample' or a folder.
        config: The config that was trained; None takes one of the task, which gives the data set and the metric alone.
        work_dir: Folder of the log; None for ``work_dirs/`` and the file's name.
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
    metrics, _ = _test(cfg, show_dir, verbose, _FileHook(backend))
    return Evaluation(str(path), str(path), metrics, [], backend.engine, backend.precision)


def _test(cfg: Config, show_dir: str | Path | None, verbose: bool, *hooks: Hook) -> tuple[dict[str, Any], MessageHub]:
    if show_dir:
        set_hook(cfg, 'pictures', out_dir=str(show_dir))
    console = ConsoleHook(shown=not verbose)
    runner = build_runner(cfg, console, verbose)
    for hook in hooks:
        runner.register_hook(hook)
    try:
        return runner.test(), runner.message_hub
    finally:
        console.close()


class _FileHook(Hook):
    """Lets a file predict in a test, from the images as they are stored."""

    def __init__(self, backend: FileBackend):
        self._backend = backend

    def before_test_epoch(self, runner: Runner) -> None:
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
