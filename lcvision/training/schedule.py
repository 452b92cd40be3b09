"""Fits the length and the schedule of a training to what a user asks for and to the data."""
import math
import re
from itertools import accumulate, pairwise

from mmengine.config import Config, ConfigDict

from lcvision.config import class_name, inner_dicts
from lcvision.errors import UserError

# A warm-up takes at most one part in so many of a run.
_WARMUP_SHARE = 9
# mmengine's schedulers, each as ...LR, ...Momentum and ...ParamScheduler.
_KINDS = ('Constant', 'CosineAnnealing', 'CosineRestart', 'Exponential', 'Linear', 'MultiStep', 'OneCycle', 'Poly',
          'ReduceOnPlateau', 'Step')


def set_epochs(cfg: Config, epochs: int, num_images: int = 0) -> str:
    """Scales a schedule to another length and returns what was done, as a line for the log.

    Args:
        cfg: Changed in place: the loop, the schedulers except a warm-up in iterations, the epoch at which PicoDet v2
            changes its assigner, and the interval of validation if it is longer than half the run. A config that
            counts iterations gets as many as make up the epochs, see :func:`set_iterations`.
        epochs, num_images: The new length; images of the training split, for a config that counts iterations.
    """
    if 'max_epochs' not in cfg.train_cfg:
        steps = max(1, num_images // cfg.train_dataloader.batch_size)
        return f'{epochs} epochs of {steps} steps: ' + set_iterations(cfg, epochs * steps, cfg.train_cfg.max_iters)
    before = cfg.train_cfg.max_epochs
    interval = min(cfg.train_cfg.get('val_interval', 1), max(1, epochs // 2))
    cfg.train_cfg.update(max_epochs=epochs, val_interval=interval)
    phases = cfg.model.get('train_cfg') or {}
    if 'initial_epoch' in phases:  # where PicoDet v2 changes its assigner
        phases['initial_epoch'] = round(phases['initial_epoch'] * epochs / before)
    return _scale(cfg, before, epochs, 'epochs')


def set_iterations(cfg: Config, iterations: int, before: int) -> str:
    """Scales a schedule that counts iterations to another length and returns what was done, as a line for the log.

    Args:
        cfg: Changed in place: the loop, the schedulers except a warm-up, and the intervals of validation and
            checkpoints if they are longer than half the run.
        iterations, before: The new length, and the one that the schedulers are made for.
    """
    half = max(1, iterations // 2)
    cfg.train_cfg.update(max_iters=iterations, val_interval=min(cfg.train_cfg.get('val_interval', 1000), half))
    checkpoint = (cfg.get('default_hooks') or {}).get('checkpoint')
    if checkpoint and not checkpoint.get('by_epoch', True):
        checkpoint.interval = min(checkpoint.get('interval', half), half)
    return _scale(cfg, before, iterations, 'iterations')


def _scale(cfg: Config, before: int, after: int, unit: str) -> str:
    """Scales every scheduler but a warm-up in iterations; returns the line for the log."""
    schedulers, said = _schedulers(cfg), [f'schedule scaled from {before} to {after} {unit}']
    warm = {scheduler.end for scheduler in schedulers if _is_warmup(scheduler)}
    for scheduler in schedulers:
        kind, by_epoch = _kind(scheduler), scheduler.get('by_epoch', True)
        if kind == 'ReduceOnPlateau':
            said.append(f'the patience of {scheduler.type} counts validations and stays')
        elif kind not in _KINDS:
            said.append(f'of {scheduler.type}, which is not known here, only begin and end are scaled')
        if not _is_warmup(scheduler):
            same = by_epoch == (unit == 'epochs') and not scheduler.get('convert_to_iter_based')
            _scale_one(scheduler, before, after, same_unit=same, fixed=set() if by_epoch else warm)
    return '; '.join(said)


def _scale_one(scheduler: ConfigDict, before: int, after: int, same_unit: bool, fixed: set[int]) -> None:
    def scaled(value: int) -> int:
        if not value or value in fixed:
            return value
        # What ends with the run is written with an end one before or after it.
        if same_unit and abs(value - before) <= 1 < before / 8:
            return after + value - before
        return max(1, round(value * after / before))

    kind = _kind(scheduler)
    begin, end = scheduler.get('begin', 0), scheduler.get('end')
    if end:
        # A warm-up may still be shortened: until then what starts after it may end before it.
        scheduler.end = max(scaled(end), scaled(begin) + 1) if begin not in fixed else scaled(end)
    if begin:
        scheduler.begin = scaled(begin)
    for key in ('T_max', 'total_steps'):
        if scheduler.get(key):
            spans = end and scheduler[key] == end - begin
            scheduler[key] = scheduler.end - scheduler.get('begin', 0) if spans else scaled(scheduler[key])
    if kind == 'MultiStep':
        scheduler.milestones = [scaled(milestone) for milestone in scheduler.milestones]
    elif kind == 'CosineRestart':
        ends = [0]
        for total in accumulate(scheduler.periods):
            ends.append(max(ends[-1] + 1, scaled(total)))
        scheduler.periods = [later - earlier for earlier, later in pairwise(ends)]
    elif kind == 'Exponential':
        scheduler.gamma **= before / after
    elif kind == 'Step':
        step = scheduler.step_size * after / before
        scheduler.step_size = max(1, round(step))
        if step < 1:  # several drops in one
            scheduler.gamma = scheduler.get('gamma', 0.1)**(1 / step)


def fit_schedule(cfg: Config, num_images: int) -> list[str]:
    """Fits what counts iterations to a small training split: the warm-up and the interval of log lines.

    Changes ``cfg`` in place and returns what was done, as lines for the log.
    """
    loader, logger = cfg.train_dataloader, (cfg.get('default_hooks') or {}).get('logger')
    iterations = cfg.train_cfg.get('max_iters')
    if iterations:
        shown = math.ceil(iterations / 10)
    else:
        steps = (math.floor if loader.get('drop_last') else math.ceil)(num_images / loader.batch_size)
        if steps == 0:
            raise UserError(f'{num_images} training images do not fill one batch of {loader.batch_size}: give '
                            f'--cfg-options train_dataloader.batch_size={max(1, num_images // 4)}')
        shown, iterations = math.ceil(steps / 3), steps * cfg.train_cfg.get('max_epochs', 0)
    if logger:
        logger.interval = max(1, min(logger.get('interval', 10), shown))
    # A warm-up of one iteration would never reach the full rate.
    notes, longest = [], max(2, iterations // _WARMUP_SHARE)
    schedulers = _schedulers(cfg)
    ends = {scheduler.end for scheduler in schedulers if iterations and _is_warmup(scheduler)}
    for end in sorted(end for end in ends if end > longest):
        notes.append(f'warm-up shortened from {end} to {longest} iterations, a ninth of the run')
        for scheduler in schedulers:
            for key in ('begin', 'end'):
                if not scheduler.get('by_epoch', True) and scheduler.get(key) == end:
                    scheduler[key] = longest
    return notes


def _schedulers(cfg: Config) -> list[ConfigDict]:
    """All schedulers: a config has one, a list, or either for each of several optimisers."""
    return [one for one in inner_dicts(cfg.get('param_scheduler')) if 'type' in one]


def _kind(scheduler: ConfigDict) -> str:
    return re.sub('(LR|Momentum|ParamScheduler)$', '', class_name(scheduler))


def _is_warmup(scheduler: ConfigDict) -> bool:
    """Whether a scheduler raises the rate at the start of a run."""
    kind = _kind(scheduler)
    rises = scheduler.get('end_factor', 1) >= scheduler.get('start_factor', 0)
    counts = not scheduler.get('by_epoch', True) and bool(scheduler.get('end')) and not scheduler.get('begin')
    return counts and rises and (kind in ('Linear', 'Constant') or 'Warmup' in kind)
