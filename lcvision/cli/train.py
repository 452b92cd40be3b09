"""Trains a model from a config."""
import traceback
from argparse import ArgumentParser, Namespace
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import OPTIMIZERS, init_default_scope
from mmengine.runner import Runner

from lcvision.cli import run_tool
from lcvision.config import load_config, override
from lcvision.errors import UserError
from lcvision.training.hooks import complete_hooks, set_hook
from lcvision.training.launch import (
    add_run_arguments,
    quiet_logger,
    quiet_warnings,
    require_checkpoint,
    use_launcher,
)
from lcvision.training.schedule import fit_schedule, set_epochs, set_iterations

# With --data a batch is at most this share of the data, so that an epoch has some steps, but not below the least.
_STEPS_AN_EPOCH, _LEAST_BATCH = 18, 16


def main(argv: list[str] | None = None) -> int:
    """Trains; returns the exit code."""
    args = parse(argv)
    quiet_warnings()
    cfg = load_config(args.config)
    planned = (cfg.get('train_cfg') or {}).get('max_iters')
    override(cfg, args.cfg_options)
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or f'work_dirs/{Path(args.config).stem}'
    use_launcher(cfg, args.launcher, args.local_rank)
    num_images, notes = _use_data(cfg, args)
    if args.epochs is not None:
        notes.append(set_epochs(cfg, args.epochs, num_images))
    elif planned and cfg.train_cfg.max_iters != planned:
        notes.append(set_iterations(cfg, cfg.train_cfg.max_iters, planned))
    if args.amp:
        _use_amp(cfg)
    notes += _use_weights(cfg, args)
    override(cfg, args.cfg_options)
    notes += fit_schedule(cfg, num_images)
    complete_hooks(cfg)
    if args.memory_format:
        set_hook(cfg, 'memory_format', memory_format=args.memory_format)
    _run(cfg, args, notes)
    return 0


def _record(cfg: Config, args: Namespace) -> None:
    from lcvision.report.run_folder import record_run
    data = args.data or ((cfg.get('test_dataloader') or {}).get('dataset') or {}).get('data_root')
    if data and is_main_process():
        record_run(cfg.work_dir, args.config, data)


def parse(argv: list[str] | None) -> Namespace:
    """Parses the command line."""
    parser = ArgumentParser(description='Trains a model; a CPU is enough.')
    parser.add_argument('config', metavar='CONFIG', help='e.g. configs/detection/picodet_pplcnet_1x.py')
    parser.add_argument('--resume', nargs='?', const='auto', metavar='CKPT',
                        help='go on from CKPT, or from the newest checkpoint of the work dir')
    parser.add_argument('--load-from', metavar='CKPT', help='start with the weights of CKPT (.pth or .safetensors)')
    parser.add_argument('--amp', action='store_true', help='mixed precision (bfloat16, on a GPU without it float16)')
    parser.add_argument('--epochs', type=int, metavar='N', help="epochs; the schedule is scaled to them [config's]")
    add_run_arguments(parser)
    args = parser.parse_args(argv)
    if args.epochs is not None and args.epochs < 1:
        raise UserError(f'--epochs {args.epochs}: give a whole number of at least 1')
    if args.resume and args.load_from:
        raise UserError('--resume and --load-from exclude each other: the first goes on with a run, the second begins '
                        'one with given weights')
    return args


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
    # GPUs that have bfloat16 only emulated are faster in float16, whose losses must be scaled.
    slow = torch.cuda.is_available() and not torch.cuda.is_bf16_supported(including_emulation=False)
    cfg.optim_wrapper.type = 'AmpOptimWrapper' if slow else 'lcvision.BF16OptimWrapper'


def _use_weights(cfg: Config, args: Namespace) -> list[str]:
    """Sets where the run starts; returns what the log should say."""
    from lcvision.engine.hooks.atomic_checkpoint_hook import last_checkpoint
    from lcvision.weights import load_state_dict_file
    if args.resume:
        if args.resume.endswith('.safetensors'):
            raise UserError(f'--resume {args.resume}: a .safetensors file holds weights alone, not the state of a run; '
                            'start from it with --load-from')
        cfg.resume = True
        newest = last_checkpoint(cfg.work_dir, (cfg.default_hooks.get('checkpoint') or {}).get('out_dir'))
        cfg.load_from = args.resume if args.resume != 'auto' else str(newest) if newest else None
        if not cfg.load_from:
            return [f'--resume: there is no checkpoint in {cfg.work_dir}, so this run starts from the beginning']
    elif args.load_from:
        cfg.load_from = args.load_from
    if cfg.get('load_from'):
        load_state_dict_file(require_checkpoint(cfg.load_from))
    return []


class _Started(Hook):
    """Knows whether all was built, so that what fails from there on is no fault of the config."""

    yes = False

    def before_train(self, runner: Runner) -> None:
        """Notes it."""
        self.yes = True


def _run(cfg: Config, args: Namespace, notes: list[str]) -> None:
    """Builds and trains; an error on the way there is the config's and told in a sentence."""
    started = _Started()
    try:
        _require_optimizer(cfg)
        Path(cfg.work_dir).mkdir(parents=True, exist_ok=True)
        runner = Runner.from_cfg(cfg)
        quiet_logger(runner.logger)
        for note in notes:
            print_log(note, logger=runner.logger)
        _record(cfg, args)
        runner.register_hook(started)
        runner.train()
    except UserError:
        raise
    except Exception as error:
        if started.yes or ' registry.' in str(error):  # run_tool tells of a type that is not registered
            raise
        if isinstance(error, OSError) and error.filename and Path(cfg.work_dir).is_relative_to(error.filename):
            raise UserError(f'--work-dir {cfg.work_dir} cannot be made: {error.strerror}: {error.filename}') from error
        where = traceback.extract_tb(error.__traceback__)[-1]
        said = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip().split('\n')[0]
        raise UserError(f'{args.config} with its options cannot be run: {type(error).__name__}: {said[:300]} '
                        f'({Path(where.filename).name}:{where.lineno})') from error


def _require_optimizer(cfg: Config) -> None:
    init_default_scope(cfg.get('default_scope') or 'mmengine')
    kind = (cfg.get('optim_wrapper') or {}).get('optimizer', {}).get('type')
    if isinstance(kind, str) and OPTIMIZERS.get(kind) is None:
        raise UserError(f"optim_wrapper.optimizer.type={kind}: no optimiser is called so; torch's are there, such as "
                        'SGD and AdamW, and lcvision.RMSpropTF')


if __name__ == '__main__':
    raise SystemExit(run_tool(main))
