"""Stops a training that has diverged."""
from collections.abc import Mapping, Sequence

import torch
from mmengine.dist import all_gather_object, all_reduce
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from lcvision.engine.finite import all_finite, not_finite
from lcvision.engine.hooks.atomic_checkpoint_hook import last_checkpoint
from lcvision.errors import RunFailed
from lcvision.registry import HOOKS
from lcvision.text import listing

# float16's loss scaling skips steps whose loss overflows and halves its factor, which starts at 65536.
_SCALED_OVERFLOWS = 20


@HOOKS.register_module()
class FiniteHook(Hook):
    """Stops at the first step whose loss or new weights are not finite, in all processes of a run at once.

    Nothing comes back from there: a step later all weights are NaN, and two epochs later all checkpoints would be. The
    ``RunFailed`` names the step, the terms of its loss, its images and the last checkpoint, which is good.
    """

    # Before anything is saved, averaged or logged.
    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._overflows = 0

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None,
                         outputs: Mapping | None = None) -> None:
        terms = {name: torch.as_tensor(value) for name, value in (outputs or {}).items()
                 if isinstance(value, int | float | torch.Tensor)}
        weights = [parameter for parameter in runner.model.parameters() if parameter.requires_grad]
        loss, sound = all_finite(list(terms.values())), all_finite(weights)
        scaler = getattr(runner.optim_wrapper, 'loss_scaler', None)
        if not loss and sound and scaler is not None and scaler.is_enabled():
            self._overflows += 1
            loss = self._overflows < _SCALED_OVERFLOWS
        elif loss:
            self._overflows = 0
        failed = torch.tensor(float(not (loss and sound)), device=weights[0].device if weights else 'cpu')
        all_reduce(failed, 'max')
        if failed:
            what = self._describe(runner, terms, data_batch) if not (loss and sound) else ''
            # Of the processes, the one whose own loss has gone names the images.
            reports = sorted((pair for pair in all_gather_object((loss, what)) if pair[1]), key=lambda pair: pair[0])
            raise RunFailed(self._sentence(runner, batch_idx, reports[0][1]))

    def _describe(self, runner: Runner, terms: dict[str, torch.Tensor], data_batch: object) -> str:
        values = ', '.join(f'{name} {float(value.float().mean()):.4g}' for name, value in terms.items())
        bad = not_finite(dict(runner.model.named_parameters()))
        some = f'; {len(bad)} weights are not finite after it, the first is {bad[0]}' if bad else ''
        return f'{values}{some}; its images: {listing(image_names(data_batch), 8) or "unnamed"}'

    def _sentence(self, runner: Runner, batch_idx: int, what: str) -> str:
        place = f'iteration {runner.iter + 1}'
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            place += f' (step {batch_idx + 1} of epoch {runner.epoch + 1})'
        hook = (runner.cfg.get('default_hooks') or {}).get('checkpoint') or {}
        good = last_checkpoint(runner.work_dir, hook.get('out_dir'))
        left = f'the last good checkpoint is {good}' if good else 'no checkpoint was written before'
        return (f'training diverged at {place}: {what}; {left}; continue from there, or start again, with a lower '
                'optim_wrapper.optimizer.lr or with optim_wrapper.clip_grad.max_norm=10 (--cfg-options), and look at '
                'the images')


def image_names(data_batch: object) -> list[str]:
    """Names of the images of a batch that a framework's collate function made, as far as they have some."""
    samples = data_batch.get('data_samples') if isinstance(data_batch, Mapping) else None
    known = [getattr(sample, 'metainfo', {}) for sample in (samples if isinstance(samples, Sequence) else ())]
    names = [[one[key] for key in ('img_path', 'img_id', 'sample_idx') if one.get(key) is not None] for one in known]
    return [str(name[0]) for name in names if name]
