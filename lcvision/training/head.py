"""The first lines of a run: what is trained, on what, how, and where it is saved."""
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.dist import get_world_size
from mmengine.runner import EpochBasedTrainLoop, Runner

from lcvision.engine.hooks import MemoryFormatHook
from lcvision.engine.model_wrapper import unwrapped
from lcvision.tasks import TASKS
from lcvision.text import listing

_PARTS = ('backbone', 'neck', *(task.head for task in TASKS.values()))


def describe_run(runner: Runner, data: str, notes: Sequence[str]) -> str:
    """A training in a few lines.

    Args:
        runner: It, built.
        data: Where its data are.
        notes: What was changed otherwise than asked for.
    """
    model = unwrapped(runner.model)
    parts = [type(part).__name__ for name in _PARTS if (part := getattr(model, name, None)) is not None]
    loader, loop, workers = runner.train_dataloader, runner.train_loop, get_world_size()
    dataset = loader.dataset
    classes = tuple((getattr(dataset, 'metainfo', None) or {}).get('classes') or ())
    held_out = f' and {len(runner.val_loop.dataloader.dataset):,} validation' if runner.val_loop else ''
    length = (f'{len(loader):,} steps an epoch, {loop.max_epochs:,} epochs' if isinstance(loop, EpochBasedTrainLoop)
              else f'{loop.max_iters:,} iterations')
    lines = {
        'model': f'{type(model).__name__} ({", ".join(parts)}), '
                 f'{sum(parameter.numel() for parameter in model.parameters()):,} parameters',
        'data': f'{data or type(dataset).__name__}: {len(dataset):,} training{held_out} images',
        'classes': f'{len(classes)}: {listing(classes, 6)}',
        'batch': f'{loader.batch_size}{f" in each of {workers} processes" * (workers > 1)}, {length}',
        'memory format': next((hook.chosen for hook in runner.hooks if isinstance(hook, MemoryFormatHook)), ''),
        'threads': f'{torch.get_num_threads()}, and {loader.num_workers} processes that load images',
        'saved in': f'{runner.work_dir}, the log in {Path(runner.log_dir).name}/{runner.timestamp}.log',
    }
    head = [f'  {name:<14} {text}' for name, text in lines.items() if text]
    return '\n'.join([f'training {runner.experiment_name.removesuffix("_" + runner.timestamp)}', *head,
                      *(f'  {"changed":<14} {note}' for note in notes)])
