"""Trains a model from a config."""
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from mmengine.registry import OPTIMIZERS, init_default_scope

from lcvision.config import unfit
from lcvision.engine.hooks.atomic_checkpoint_hook import last_checkpoint
from lcvision.errors import DiskFull, UserError, plain_errors
from lcvision.latency.record import LatencyRecord
from lcvision.training.console import ConsoleHook, build_runner
from lcvision.training.launch import goes_on, quiet_warnings
from lcvision.training.newest_run import record_run
from lcvision.training.prepare import Preparation, latency_records, prepare
from lcvision.training.stop_hook import StopHook
from lcvision.weights.safe_load import existing_file, load_checkpoint_file


@dataclass(frozen=True)
class TrainResult:
    """What a training leaves.

    Attributes:
        config, work_dir: The config that ran, in the run's folder, and this folder.
        checkpoint: The best checkpoint, or the last where none is the best.
        metrics, latency: Of the last validation, and the records of its latency.
        history: Metrics of each validation since the run began or was resumed.
    """

    config: str
    work_dir: str
    checkpoint: str | None
    metrics: dict[str, Any]
    latency: list[LatencyRecord]
    history: list[dict[str, Any]] = field(default_factory=list)


@plain_errors()
@quiet_warnings()
def train(config: str | Path | Config, data: str | Path | None = None, *, epochs: int | None = None,
          work_dir: str | Path | None = None, resume: bool | str | Path = False, load_from: str | Path | None = None,
          amp: bool = False, memory_format: str | None = None, cfg_options: dict | None = None, launcher: str = 'none',
          local_rank: int = 0, verbose: bool = False) -> TrainResult:
    """Trains a model; a CPU is enough.

    Args:
        config: Path or name of a config, or the config itself, which is not changed.
        data: 'sample', rendered on first use, or a folder, whose classes are then learned; None for the config's data.
        epochs: Length, to which the schedule is scaled; None for the config's.
        work_dir: Folder of logs and checkpoints; None for ``work_dirs/CONFIG``.
        resume: Whether to continue from the newest checkpoint of that folder, or the checkpoint to continue from.
        load_from: Weights to start with, .pth or .safetensors.
        amp: Whether to use mixed precision: bfloat16, on a GPU without it float16.
        memory_format: 'contiguous', 'channels_last', 'channels_last_split' or 'auto', which measures all on a CPU;
            None for the config's.
        cfg_options: Entries of the config to override, such as ``{'train_dataloader.batch_size': 8}``.
        launcher: 'none', or how the processes were started: 'pytorch', 'slurm' or 'mpi'.
        local_rank: Index of this process on its machine.
        verbose: Whether to show mmengine's log, which the log file has in any case.

    Raises:
        UserError: Something asked for cannot be done; the sentence says what to do instead.
        RunFailed: The training diverged.
        DiskFull: Something could not be written; the last checkpoint is whole.
        Stopped: Ctrl-C or SIGTERM; the run is saved after the step at which it came.
    """
    if epochs is not None and epochs < 1:
        raise UserError(f'--epochs {epochs}: give a whole number of at least 1')
    if resume and load_from:
        raise UserError('--resume and --load-from exclude each other: the first continues a run, the second starts '
                        'one with given weights')
    with StopHook() as stop:
        prepared = prepare(config, data, cfg_options, train=True, epochs=epochs, work_dir=work_dir,
                           memory_format=memory_format, launcher=launcher, local_rank=local_rank)
        if amp:
            # GPUs that only emulate bfloat16 are faster in float16, whose losses must be scaled.
            slow = torch.cuda.is_available() and not torch.cuda.is_bf16_supported(including_emulation=False)
            prepared.cfg.optim_wrapper.type = 'AmpOptimWrapper' if slow else 'lcvision.BF16OptimWrapper'
        if goes_on(launcher, prepared.cfg.work_dir, resume):
            resume, load_from = True, None
        prepared.notes += _use_weights(prepared.cfg, resume, load_from)
        return _run(prepared, verbose, stop)


def _use_weights(cfg: Config, resume: bool | str | Path, load_from: str | Path | None) -> list[str]:
    """Sets where the run starts; returns what the log should say."""
    if resume:
        if str(resume).endswith('.safetensors'):
            raise UserError(f'--resume {resume}: a .safetensors file holds weights alone, not the state of a run; '
                            'start from it with --load-from')
        cfg.resume = True
        newest = _newest(cfg)
        given = None if resume is True or resume == 'auto' else resume
        cfg.load_from = str(given or newest or '') or None
        if not cfg.load_from:
            return [f'--resume: there is no checkpoint in {cfg.work_dir}, so this run starts from the beginning']
    elif load_from:
        cfg.load_from = str(load_from)
    if cfg.get('load_from'):
        cfg.load_from = str(existing_file(cfg.load_from))
        meta = load_checkpoint_file(cfg.load_from)[1]
        if resume and not all(isinstance(meta.get(count), int) for count in ('epoch', 'iter')):
            raise UserError(f'--resume {cfg.load_from}: it holds weights alone, not the state of a run; start from it '
                            'with --load-from')
    return []


def _run(prepared: Preparation, verbose: bool, stop: StopHook) -> TrainResult:
    """Builds and trains; what fails before the first step is the config's fault and becomes a sentence."""
    cfg, console = prepared.cfg, ConsoleHook(prepared.data, prepared.notes, not verbose)
    try:
        _require_optimizer(cfg)
        Path(cfg.work_dir).mkdir(parents=True, exist_ok=True)
        runner = build_runner(cfg, console, verbose)
        runner.register_hook(stop)
        for note in (*prepared.logged.getvalue().splitlines(), *prepared.notes):
            print_log(note, logger=runner.logger)
        if prepared.data and is_main_process():
            record_run(cfg.work_dir, prepared.name, prepared.data)
        runner.train()
    except UserError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in DiskFull.codes:
            raise _disk_full(error, cfg) from error
        if console.started or ' registry.' in str(error):  # plain_errors words a type that is not registered
            raise
        raise _fault(error, prepared) from error
    finally:
        console.close()
    hub, dumped = runner.message_hub, Path(cfg.filename or f'{runner.timestamp}.py').name
    return TrainResult(str(Path(cfg.work_dir, dumped)), cfg.work_dir,
                       hub.get_info('best_ckpt') or hub.get_info('last_ckpt'), console.metrics, latency_records(hub),
                       console.history)


def _newest(cfg: Config) -> Path | None:
    return last_checkpoint(cfg.work_dir, (cfg.default_hooks.get('checkpoint') or {}).get('out_dir'))


def _disk_full(error: OSError, cfg: Config) -> DiskFull:
    newest = _newest(cfg)
    rest = f'and continue with --resume from {newest}, which is whole' if newest else 'and start again'
    return DiskFull(f'{error.filename or cfg.work_dir} cannot be written ({error.strerror}): make room {rest}')


def _fault(error: Exception, prepared: Preparation) -> UserError:
    folder = prepared.cfg.work_dir
    if isinstance(error, OSError) and error.filename and Path(folder).is_relative_to(error.filename):
        return UserError(f'--work-dir {folder} cannot be made: {error.strerror}: {error.filename}')
    return unfit(prepared.name, error)


def _require_optimizer(cfg: Config) -> None:
    init_default_scope(cfg.get('default_scope') or 'mmengine')
    kind = (cfg.get('optim_wrapper') or {}).get('optimizer', {}).get('type')
    if isinstance(kind, str) and OPTIMIZERS.get(kind) is None:
        raise UserError(f"optim_wrapper.optimizer.type={kind}: there is no such optimiser; torch's are there, such as "
                        'SGD and AdamW, and lcvision.RMSpropTF')
