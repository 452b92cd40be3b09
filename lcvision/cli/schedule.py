"""Fits the length and the schedule of a training to what a user asks for and to the data."""
import math

from mmengine.config import Config, ConfigDict

from lcvision.errors import UserError

# A warm-up takes at most one part in so many of a run.
_WARMUP_SHARE = 9


def set_epochs(cfg: Config, epochs: int, num_images: int = 0) -> str:
    """Scales a schedule to another length.

    Args:
        cfg: Changed in place: the loop, every scheduler that counts epochs, the epoch at which PicoDet v2 changes its
            assigner, and the interval of validation if it is longer than half the run. A config that counts
            iterations gets as many as make up the epochs, see :func:`set_iterations`.
        epochs: The new length.
        num_images: Images of the training split, for a config that counts iterations.

    Returns:
        What was done, as a line for the log.
    """
    if 'max_epochs' not in cfg.train_cfg:
        steps = max(1, num_images // cfg.train_dataloader.batch_size)
        return f'{epochs} epochs of {steps} steps: ' + set_iterations(cfg, epochs * steps, cfg.train_cfg.max_iters)
    before = cfg.train_cfg.max_epochs
    cfg.train_cfg.max_epochs = epochs
    cfg.train_cfg.val_interval = min(cfg.train_cfg.get('val_interval', 1), max(1, epochs // 2))
    for scheduler in cfg.get('param_scheduler', []):
        if not scheduler.get('by_epoch', True):
            continue
        for key in ('T_max', 'end', 'begin'):
            if scheduler.get(key) is not None:
                scheduler[key] = max(1, round(scheduler[key] * epochs / before)) if scheduler[key] else 0
        if 'milestones' in scheduler:
            scheduler.milestones = [max(1, round(m * epochs / before)) for m in scheduler.milestones]
    phases = cfg.model.get('train_cfg') or {}
    if 'initial_epoch' in phases:  # where PicoDet v2 changes its assigner
        phases['initial_epoch'] = round(phases['initial_epoch'] * epochs / before)
    return f'schedule scaled from {before} to {epochs} epochs'


def set_iterations(cfg: Config, iterations: int, before: int) -> str:
    """Scales a schedule that counts iterations to another length.

    Args:
        cfg: Changed in place: the loop, the schedulers but for a warm-up, and the intervals of validation and
            checkpoints if they are longer than half the run.
        iterations: The new length.
        before: The length that the schedulers are made for.

    Returns:
        What was done, as a line for the log.
    """
    def scaled(value: int) -> int:
        # Schedulers that end with the run are written with an end one before or after it.
        near = value - before if abs(value - before) <= 1 else None
        return max(1, round(value * iterations / before) if near is None else iterations + near)

    cfg.train_cfg.max_iters = iterations
    schedulers = cfg.get('param_scheduler', [])
    warm = {0, *(scheduler.end for scheduler in schedulers if _is_warmup(scheduler))}
    for scheduler in schedulers:
        for key in ('T_max', 'end', 'begin'):
            if scheduler.get(key) is not None and scheduler[key] not in warm:
                scheduler[key] = scaled(scheduler[key])
        if 'milestones' in scheduler:
            scheduler.milestones = [scaled(m) for m in scheduler.milestones]
    half = max(1, iterations // 2)
    cfg.train_cfg.val_interval = min(cfg.train_cfg.get('val_interval', 1000), half)
    checkpoint = cfg.default_hooks.checkpoint
    if not checkpoint.get('by_epoch', True):
        checkpoint.interval = min(checkpoint.get('interval', half), half)
    return f'schedule scaled from {before} to {iterations} iterations'


def fit_schedule(cfg: Config, num_images: int) -> list[str]:
    """Fits what counts iterations to a small data set: the warm-up and the interval of log lines.

    Args:
        cfg: Changed in place.
        num_images: Images of the training split.

    Returns:
        What was done, as lines for the log.
    """
    loader, logger = cfg.train_dataloader, cfg.default_hooks.logger
    iterations = cfg.train_cfg.get('max_iters')
    if iterations:
        shown = math.ceil(iterations / 10)
    else:
        whole = loader.get('drop_last')
        steps = num_images // loader.batch_size if whole else math.ceil(num_images / loader.batch_size)
        if steps == 0:
            raise UserError(f'{num_images} training images do not fill one batch of {loader.batch_size}: give '
                            f'--cfg-options train_dataloader.batch_size={max(1, num_images // 4)}')
        shown, iterations = math.ceil(steps / 3), steps * cfg.train_cfg.get('max_epochs', 0)
    logger.interval = max(1, min(logger.get('interval', 10), shown))
    # One of a single iteration would never reach the full rate.
    notes, longest = [], max(2, iterations // _WARMUP_SHARE)
    schedulers = cfg.get('param_scheduler', [])
    ends = {scheduler.end for scheduler in schedulers if iterations and _is_warmup(scheduler)}
    for end in sorted(end for end in ends if end > longest):
        notes.append(f'warm-up shortened from {end} to {longest} iterations, a ninth of the run')
        for scheduler in schedulers:
            for key in ('begin', 'end'):
                if not scheduler.get('by_epoch', True) and scheduler.get(key) == end:
                    scheduler[key] = longest
    return notes


def _is_warmup(scheduler: ConfigDict) -> bool:
    """Whether a scheduler raises the rate at the start of a run."""
    kind = scheduler.type.rpartition('.')[2]
    rises = scheduler.get('end_factor', 1) >= scheduler.get('start_factor', 0)
    counts = not scheduler.get('by_epoch', True) and bool(scheduler.get('end')) and not scheduler.get('begin')
    return counts and rises and (kind in ('LinearLR', 'ConstantLR') or 'Warmup' in kind)
