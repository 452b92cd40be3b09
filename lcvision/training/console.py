"""What a run shows: a head, one line of progress, a row for each validation. mmengine's log goes to the log file."""
import contextlib
import logging
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from io import StringIO, TextIOBase
from itertools import count
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, Runner
from rich.console import Console
from rich.file_proxy import FileProxy
from rich.progress import BarColumn, Progress, TextColumn

from lcvision.complexity import count_params
from lcvision.datasets.check.faults import quick_faults
from lcvision.deploy.network import unwrapped
from lcvision.engine.hooks.memory_format_hook import MemoryFormatHook
from lcvision.tasks import TASKS
from lcvision.text import listing

_PACKAGE = str(Path(__file__).parents[1])
# What these modules log is also in the head, the progress and the table.
_REPEATED = ('console', 'logger_hook', 'cpu_latency_hook', 'memory_format_hook')
# Warnings of mmengine about its own spelling.
_OLD_NAMES = ('"FileClient" will be deprecated', '"HardDiskBackend" is the alias')
_SECONDS = 0.2
_RUNS = count()
_PARTS = ('backbone', 'neck', *(task.head for task in TASKS.values()))


class ConsoleRunner(Runner):
    """A runner whose log lines, except for warnings and a few of ours, reach the log file alone."""

    def build_logger(self, *args: Any, **kwargs: Any) -> logging.Logger:
        """Quiets the logger's console."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                self.stream, self.visible = handler, _Visible()
                handler.addFilter(self.visible)
                handler.setFormatter(_Plain())
        return logger


class _Visible(logging.Filter):
    """Passes warnings and what our own modules log; while ``all`` is set, what others log, too."""

    all = False

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.INFO:
            return not str(record.msg).startswith(_OLD_NAMES)
        if self.all:
            return record.module not in _REPEATED[:2]
        return record.pathname.startswith(_PACKAGE) and record.module not in _REPEATED


class _Plain(logging.Formatter):
    """Lines without a date, since they are read as they appear."""

    def format(self, record: logging.LogRecord) -> str:
        kind = f'{record.levelname.lower()}: ' if record.levelno > logging.INFO else ''
        return kind + super().format(record)


def start_log() -> StringIO:
    """Opens a logger for what is logged before a run has its own; returns the text, which grows."""
    # Otherwise it would go to the log of the previous run of this process.
    logger, text = MMLogger.get_instance(f'lcvision_{next(_RUNS)}'), StringIO()
    logger.addHandler(logging.StreamHandler(text))
    for handler in logger.handlers:
        handler.setFormatter(_Plain())
    return text


class _ToLog(TextIOBase):
    """Writes what is printed to the log file."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def write(self, text: str) -> int:
        if text.strip():
            self._logger.info(text.rstrip())
        return len(text)


def _log_failed(handler: logging.FileHandler, record: logging.LogRecord) -> None:
    """Ends a run whose log cannot be written; logging would print a traceback for every line from then on."""
    if isinstance(error := sys.exc_info()[1], OSError):
        raise error
    logging.Handler.handleError(handler, record)


def build_runner(cfg: Config, console: 'ConsoleHook', verbose: bool) -> Runner:
    """Builds a run that shows itself on ``console``, or mmengine's log if ``verbose``."""
    runner = (Runner if verbose else ConsoleRunner).from_cfg(cfg)
    for handler in runner.logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handleError = partial(_log_failed, handler)  # type: ignore[method-assign]
    runner.register_hook(console)
    console.hush(runner)
    return runner


class ConsoleHook(Hook):
    """Shows how a run progresses.

    On a terminal the progress is a line that stays at the bottom; elsewhere it is a line of text every
    ``default_hooks.logger.interval`` steps. Nothing is drawn between two steps, so that no thread disturbs a
    measurement.

    Args:
        data, notes: Where the data are, and what differs from the request, for the head.
        shown: Whether anything is shown at all.
    """

    priority = 'VERY_LOW'

    def __init__(self, data: str = '', notes: Sequence[str] = (), shown: bool = True) -> None:
        self.data, self.notes, self._shown = data, notes, shown
        self.metrics: dict[str, Any] = {}  # of the last validation or test
        self.history: list[dict[str, Any]] = []  # metrics of each validation
        self.started = False  # whether everything is built and the training has begun
        # With the output as it is now, since what libraries print is redirected.
        self._console = Console(file=sys.stdout)
        self._bar: Progress | None = None
        self._hushed = contextlib.ExitStack()
        self._columns: list[str] = []
        self._drawn, self._interval = 0., 1
        # Seconds of the last steps, with loading, without validations.
        self._seconds, self._since = deque[float](maxlen=50), 0.

    def hush(self, runner: Runner) -> None:
        """Redirects what is printed to the log file until the next stage of the run."""
        if self._shown:
            self._hushed.enter_context(contextlib.redirect_stdout(_ToLog(runner.logger)))  # type: ignore[type-var]

    def before_run(self, runner: Runner) -> None:
        """Takes the bottom line of a terminal."""
        self._shown = self._shown and is_main_process()
        self._interval = ((runner.cfg.get('default_hooks') or {}).get('logger') or {}).get('interval', 10)
        if self._shown and self._console.is_terminal and not self._console.is_dumb_terminal:
            self._bar = Progress(TextColumn('{task.description}'), BarColumn(), TextColumn('{task.fields[text]}'),
                                 console=self._console, auto_refresh=False, transient=True, redirect_stdout=False)
            self._bar.add_task('', text='')
            self._bar.start()
            if isinstance(runner, ConsoleRunner):
                runner.stream.setStream(FileProxy(self._console, sys.stdout))

    def before_train(self, runner: Runner) -> None:
        """Prints the head, since everything is built by now."""
        self.started = True
        self._hushed.close()
        head = describe_run(runner, self.data, self.notes)
        if is_main_process() and runner.val_loop:
            datasets = {'train': runner.train_dataloader.dataset, 'val': runner.val_loop.dataloader.dataset}
            with contextlib.suppress(KeyError, TypeError, ValueError, OSError):  # entries of one's own data set
                head += ''.join(f'\n  {"check":<14} {finding}' for finding in [*quick_faults(datasets)])
        runner.logger.info('\n' + head)
        self._print(head)
        self._since = time.monotonic()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: Mapping | None = None) -> None:
        done, total, loop = runner.iter + 1, runner.max_iters, runner.train_loop
        self._seconds.append(time.monotonic() - self._since)
        where, step, size = 'iteration', done, total
        if isinstance(loop, EpochBasedTrainLoop):
            where, step = f'epoch {runner.epoch + 1}/{runner.max_epochs}, step', batch_idx + 1
            size = len(loop.dataloader)
        if self._due(step, size, done == total):
            self._show(f'{where} {step}/{size}', done / total, self._course(runner, total - done))
        self._since = time.monotonic()

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        step, size = batch_idx + 1, len(runner.val_loop.dataloader)
        if step == size:
            self.hush(runner)
        if self._bar and self._due(step, size):
            self._show(f'validating {step}/{size}', step / size)

    def before_test(self, runner: Runner) -> None:
        """Shows again what is printed, since everything is built by now."""
        self._hushed.close()

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Shows the progress of the test; after the last step the metrics print their tables."""
        step, size = batch_idx + 1, len(runner.test_loop.dataloader)
        if self._due(step, size):
            self._show(f'testing {step}/{size}', step / size)
        if step == size and isinstance(runner, ConsoleRunner):
            self.close()
            runner.visible.all = True

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self._hushed.close()
        self.metrics = dict(metrics or {})
        self.history.append(self.metrics)
        by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
        row = {'epoch': str(runner.epoch)} if by_epoch else {'iteration': str(runner.iter)}
        row.update((name.rpartition('/')[2], f'{value:.4g}') for name, value in self.metrics.items()
                   if isinstance(value, int | float))
        records = runner.message_hub.get_info('latency/records') or []
        noisy = '  noisy' * any(record['noisy'] for record in records)
        widths = [max(len(name) + 2, 9) for name in row]
        if list(row) != self._columns:
            self._columns = list(row)
            self._print('\n' + ''.join(map(str.rjust, row, widths)))
        self._print(''.join(map(str.rjust, row.values(), widths)) + noisy)
        self._since = time.monotonic()

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self.metrics = dict(metrics or {})

    def close(self) -> None:
        """Returns the bottom line of the terminal."""
        self._hushed.close()
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _due(self, step: int, size: int, last: bool = False) -> bool:
        if not self._bar:
            return self._shown and (step % self._interval == 0 or last)
        return last or step == size or time.monotonic() - self._drawn > _SECONDS

    def _show(self, where: str, share: float, text: str = '') -> None:
        self._drawn = time.monotonic()
        if self._bar:
            self._bar.update(self._bar.task_ids[0], description=where, completed=100 * share, text=text, refresh=True)
        else:
            self._print(f'{where}  {text}'.rstrip())

    def _print(self, text: str) -> None:
        if self._bar:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)
        elif self._shown:
            print(text, file=self._console.file, flush=True)

    def _course(self, runner: Runner, left: int) -> str:
        """Loss, learning rate, images a second and time left."""
        hub = runner.message_hub
        loss = hub.get_scalar('train/loss').mean(self._interval) if 'train/loss' in hub.log_scalars else float('nan')
        rate = learning_rate(runner.optim_wrapper)
        seconds = sum(self._seconds) / len(self._seconds)
        images = (runner.train_dataloader.batch_size or 1) * get_world_size() / seconds
        return f'loss {loss:.4g}  lr {rate:.3g}  {images:.3g} images/s  ETA {timedelta(seconds=round(seconds * left))}'


def learning_rate(optim_wrapper: OptimWrapper) -> float:
    """The largest of all groups, as it is used: ``base_lr`` beside them is not scaled to the batch by mmengine."""
    return max(rate for name, rates in optim_wrapper.get_lr().items() if 'base_lr' not in name for rate in rates)


def describe_run(runner: Runner, data: str, notes: Sequence[str]) -> str:
    """The head of a training: what is trained, on what, how, where it is saved, and what differs from the request."""
    model = unwrapped(runner.model)
    parts = [type(part).__name__ for name in _PARTS if (part := getattr(model, name, None)) is not None]
    loader, loop, workers = runner.train_dataloader, runner.train_loop, get_world_size()
    dataset = loader.dataset
    classes = tuple((getattr(dataset, 'metainfo', None) or {}).get('classes') or ())
    held_out = f' and {len(runner.val_loop.dataloader.dataset):,} validation' if runner.val_loop else ''
    length = (f'{len(loader):,} steps an epoch, {loop.max_epochs:,} epochs' if isinstance(loop, EpochBasedTrainLoop)
              else f'{loop.max_iters:,} iterations')
    lines = {
        'model': f'{type(model).__name__} ({", ".join(parts)}), {count_params(model):,} parameters',
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
