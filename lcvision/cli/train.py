"""Trains a model from a config."""
import math
from argparse import ArgumentParser, Namespace
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import print_log

from lcvision.cli.config import load_config, override
from lcvision.cli.launch import (
    add_hook,
    add_run_arguments,
    quiet_logger,
    quiet_warnings,
    require_checkpoint,
    use_launcher,
)
from lcvision.errors import UserError

# With --data a batch is at most this share of the data, so that an epoch has some steps, but not below the least.
_STEPS_AN_EPOCH, _LEAST_BATCH = 18, 16
# A warm-up takes at most one part in so many of a run.
_WARMUP_SHARE = 9


def main(argv: list[str] | None = None) -> int:
    """Trains; returns the exit code."""
    args = parse(argv)
    quiet_warnings()
    cfg = load_config(args.config, args.cfg_options)
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or f'work_dirs/{Path(args.config).stem}'
    use_launcher(cfg, args.launcher, args.local_rank)
    num_images, notes = _use_data(cfg, args)
    if args.epochs is not None:
        notes.append(set_epochs(cfg, args.epochs))
    if args.amp:
        _use_amp(cfg)
    _use_weights(cfg, args)
    override(cfg, args.cfg_options)
    notes += fit_schedule(cfg, num_images)
    add_hook(cfg, type='lcvision.CompatibleCheckpointHook')
    add_hook(cfg, type='lcvision.MemoryFormatHook', memory_format=args.memory_format)
    from mmengine.runner import Runner
    runner = Runner.from_cfg(cfg)
    quiet_logger(runner.logger)
    for note in notes:
        print_log(note, logger=runner.logger)
    runner.train()
    return 0


def parse(argv: list[str] | None) -> Namespace:
    """Parses the command line."""
    parser = ArgumentParser('tools/train.py', description='Trains a model; a CPU is enough.')
    parser.add_argument('config', metavar='CONFIG', help='e.g. configs/detection/picodet_pplcnet_1x.py')
    parser.add_argument('--resume', nargs='?', const='auto', metavar='CKPT',
                        help='go on from CKPT, or from the newest checkpoint of the work dir')
    parser.add_argument('--load-from', metavar='CKPT', help='start with the weights of CKPT (.pth or .safetensors)')
    parser.add_argument('--amp', action='store_true', help='mixed precision (bfloat16 on a CPU)')
    parser.add_argument('--epochs', type=int, metavar='N', help="epochs; the schedule is scaled to them [config's]")
    add_run_arguments(parser)
    args = parser.parse_args(argv)
    if args.epochs is not None and args.epochs < 1:
        raise UserError(f'--epochs {args.epochs}: give a whole number of at least 1')
    if args.resume and args.load_from:
        raise UserError('--resume and --load-from exclude each other: the first goes on with a run, the second begins '
                        'one with given weights')
    return args


def set_epochs(cfg: Config, epochs: int) -> str:
    """Scales an epoch-based schedule to another length.

    Args:
        cfg: Changed in place: the loop, every scheduler that counts epochs, the epoch at which PicoDet v2 changes its
            assigner, and the interval of validation if it is longer than half the run.
        epochs: The new length.

    Returns:
        What was done, as a line for the log.
    """
    if 'max_epochs' not in cfg.train_cfg:
        raise UserError('--epochs: this config counts iterations; use --cfg-options train_cfg.max_iters=N')
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


def fit_schedule(cfg: Config, num_images: int) -> list[str]:
    """Fits what counts iterations to a small data set: the warm-up and the interval of log lines.

    Args:
        cfg: Changed in place.
        num_images: Images of the training split.

    Returns:
        What was done, as lines for the log.
    """
    loader = cfg.train_dataloader
    steps = num_images // loader.batch_size if loader.get('drop_last') else math.ceil(num_images / loader.batch_size)
    if steps == 0:
        raise UserError(f'{num_images} training images do not fill one batch of {loader.batch_size}: give '
                        f'--cfg-options train_dataloader.batch_size={max(1, num_images // 4)}')
    logger = cfg.default_hooks.logger
    logger.interval = max(1, min(logger.get('interval', 10), math.ceil(steps / 3)))
    notes, longest = [], max(1, steps * cfg.train_cfg.get('max_epochs', 0) // _WARMUP_SHARE)
    for scheduler in cfg.get('param_scheduler', []):
        warmup = not scheduler.get('by_epoch', True) and scheduler.get('begin', 0) == 0
        if 'max_epochs' in cfg.train_cfg and warmup and scheduler.get('end', 0) > longest:
            notes.append(f'warm-up shortened from {scheduler.end} to {longest} iterations, a ninth of the run')
            scheduler.end = longest
    return notes


def _use_data(cfg: Config, args: Namespace) -> tuple[int, list[str]]:
    """Returns the number of training images and what was changed."""
    from lcvision.datasets.sources import check_source, use_source
    if not args.data:
        return check_source(cfg, train=True), []
    split = use_source(cfg, args.data, train=True)
    notes = [f'data: {args.data}, {split.num_images} training images, {len(split.classes)} classes']
    loader = cfg.train_dataloader
    batch = min(loader.batch_size, max(_LEAST_BATCH, split.num_images // _STEPS_AN_EPOCH))
    if batch < loader.batch_size:
        notes.append(f'batch size {loader.batch_size} -> {batch}, for an epoch would have '
                     f'{split.num_images // loader.batch_size} steps; '
                     '--cfg-options train_dataloader.batch_size=N changes it')
        loader.batch_size = batch
    return split.num_images, notes


def _use_amp(cfg: Config) -> None:
    import torch
    cfg.optim_wrapper.type = 'AmpOptimWrapper' if torch.cuda.is_available() else 'lcvision.BF16OptimWrapper'


def _use_weights(cfg: Config, args: Namespace) -> None:
    from mmengine.runner import find_latest_checkpoint

    from lcvision.weights import load_state_dict_file
    if args.resume:
        if args.resume.endswith('.safetensors'):
            raise UserError(f'--resume {args.resume}: a .safetensors file holds weights alone, not the state of a run; '
                            'start from it with --load-from')
        cfg.resume = True
        cfg.load_from = find_latest_checkpoint(cfg.work_dir) if args.resume == 'auto' else args.resume
    elif args.load_from:
        cfg.load_from = args.load_from
    if cfg.get('load_from'):
        load_state_dict_file(require_checkpoint(cfg.load_from))
