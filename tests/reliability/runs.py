"""A training of a second for each task, on rendered images."""
from pathlib import Path

import torch

import lcvision
from lcvision.datasets.sample.sets import RENDERERS
from lcvision.engine.hooks.atomic_checkpoint_hook import last_checkpoint
from tests import tiny

CONFIGS = Path(__file__).parents[2] / 'configs'
_SMALL = {'default_hooks.latency': None, 'default_hooks.pictures': None, 'default_hooks.visualization': None,
          'default_hooks.logger.interval': 1}
_EMA = {'custom_hooks': [dict(type='lcvision.CycleEMAHook', decay=0.9)]}
# Of each task its config, options of a small run, the number of steps, and steps between two checkpoints.
RUNS = {
    'detection': ('detection/picodet_pplcnet_0_5x_sample.py', {
        **tiny.DETECTOR, 'train_dataloader.batch_size': 4, 'train_dataloader.collate_fn.sizes': [64, 96],
        'train_cfg.val_interval': 1}, 12, 4),
    'segmentation': ('segmentation/deeplabv3plus_pplcnet_0_5x_sample.py', {
        **tiny.SEGMENTOR, **_EMA, 'train_dataloader.dataset.pipeline.2.crop_size': (64, 64), 'train_cfg.max_iters': 12,
        'train_cfg.val_interval': 4, 'default_hooks.checkpoint.interval': 4, 'model.backbone.scale': 0.25,
        'model.decode_head.in_channels': [16, 128]}, 12, 4),
    'classification': ('classification/pplcnet_0_5x_cifar10.py', {**tiny.CLASSIFIER, **_EMA}, 9, 3),
}


def render(root: Path, tasks=RUNS) -> Path:
    """Data of each task, in a folder of its name."""
    for task in tasks:
        RENDERERS[task](root / task, *dict(detection=(18, 4), segmentation=(10, 2), classification=(6, 2))[task])
    return root


def train(task: str, data: Path, folder: Path, resume: bool = False, workers: int = 0,
          bf16: bool = False) -> lcvision.TrainResult:
    """Three epochs, or twelve iterations; with everything random that the task's recipes have."""
    config, options, _, _ = RUNS[task]
    options = {key: value for key, value in options.items() if key not in tiny.LATENCY} | _SMALL | {
        'optim_wrapper.type': 'lcvision.BF16OptimWrapper' if bf16 else 'OptimWrapper',
        'train_dataloader.num_workers': workers, 'train_dataloader.persistent_workers': workers > 0}
    return lcvision.train(CONFIGS / config, data / task, epochs=None if task == 'segmentation' else 3, work_dir=folder,
                          resume=resume, memory_format='contiguous', cfg_options=options)


def state(folder: Path) -> list:
    """Everything in the last checkpoint of a run that the next step depends on, and the course of the loss."""
    saved = torch.load(last_checkpoint(folder), weights_only=False)
    course = saved['message_hub']['log_scalars']['train/loss']._log_history.tolist()
    return [*_leaves({part: saved.get(part) for part in ('state_dict', 'ema_state_dict', 'optimizer',
                                                         'param_schedulers')}),
            *course, saved['meta']['epoch'], saved['meta']['iter'], saved['meta']['seed']]


def same(first: list, second: list) -> bool:
    """Whether two states are equal in every bit."""
    return len(first) == len(second) and all(
        torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in zip(first, second))


def _leaves(value) -> list:
    if isinstance(value, dict):
        return [leaf for key in sorted(value, key=str) for leaf in [str(key), *_leaves(value[key])]]
    return [leaf for one in value for leaf in _leaves(one)] if isinstance(value, list | tuple) else [value]
