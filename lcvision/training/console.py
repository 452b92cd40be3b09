"""What a run shows while it goes: a head, one line of progress, a row for each validation.

Everything that mmengine logs goes to the log file.
"""
import contextlib
import logging
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import timedelta
from io import TextIOBase
from itertools import count
from pathlib import Path
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import EpochBasedTrainLoop, Runner
from rich.console import Console
from rich.file_proxy import FileProxy
from rich.progress import BarColumn, Progress, TextColumn

from lcvision.training.head import describe_run

_PACKAGE = str(Path(__file__).parents[1])
# What these modules say, the head, the progress and the table say, too.
_TOLD = ('console', 'logger_hook', 'cpu_latency_hook', 'memory_format_hook')
# Warnings of mmengine about its own spelling.
_OLD_NAMES = ('"FileClient" will be deprecated', '"HardDiskBackend" is the alias')
_SECONDS = 0.2
_RUNS = count()


class ConsoleRunner(Runner):
    """A runner whose log lines, but for warnings and a few of ours, reach the log file alone."""

    def build_logger(self, *args: Any, **kwargs: Any) -> logging.Logger:
        """Quiets the logger's console."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                self.stream = handler
                self.visible = _Visible()
                handler.addFilter(self.visible)
                handler.setFormatter(_Plain())
        return logger


class _Visible(logging.Filter):
    """Lets warnings pass and what our own modules say; while ``all`` is set, what others say, too."""

    all = False

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.INFO:
            return not str(record.msg).startswith(_OLD_NAMES)
        if self.all:
            return record.module not in _TOLD[:2]
        return record.pathname.startswith(_PACKAGE) and record.module not in _TOLD


class _Plain(logging.Formatter):
    """Lines without a date, for they are read as they come."""

    def format(self, record: logging.LogRecord) -> str:
        kind = f'{record.levelname.lower()}: ' if record.levelno > logging.INFO else ''
        return kind + super().format(record)


class _Kept(logging.Handler):
    """Keeps the lines for a log file that is yet to be opened."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def start_log() -> list[str]:
    """Gives what is logged before a run has its logger one of its own.

    Returns:
        The lines, which go on coming.
    """
    # Else they would go to the log of the run before in this process.
    logger, kept = MMLogger.get_instance(f'lcvision_{next(_RUNS)}'), _Kept()
    logger.addHandler(kept)
    for handler in logger.handlers:
        handler.setFormatter(_Plain())
    return kept.lines


class _ToLog(TextIOBase):
    """Takes what is printed to the log file."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def write(self, text: str) -> int:
        if text.strip():
            self._logger.info(text.rstrip())
        return len(text)


class ConsoleHook(Hook):
    """Shows how a run goes.

    On a terminal the progress is a line that stays at the bottom; elsewhere it is a line of text at every
    ``default_hooks.logger.interval``. Nothing is drawn between two steps, so that no thread disturbs a measurement.

    Args:
        data: Where the data are.
        notes: What was changed otherwise than asked for, for the head.
        shown: Whether anything is shown at all.

    Attributes:
        metrics: Those of the last validation or test.
    """

    priority = 'VERY_LOW'

    def __init__(self, data: str = '', notes: Sequence[str] = (), shown: bool = True) -> None:
        self.data, self.notes, self._shown = data, notes, shown
        self.metrics: dict[str, Any] = {}
        # With the output as it is now, for what libraries print is taken elsewhere.
        self._console = Console(file=sys.stdout)
        self._bar: Progress | None = None
        self._hushed = contextlib.ExitStack()
        self._columns: list[str] = []
        self._drawn = 0.
        self._interval = 1
        # Seconds of the last steps, loading included, validations not.
        self._seconds, self._since = deque[float](maxlen=50), 0.

    def hush(self, runner: Runner) -> None:
        """Takes what is printed to the log file until the next stage of the run.

        Args:
            runner: The run.
        """
        if self._shown:
            self._hushed.enter_context(contextlib.redirect_stdout(_ToLog(runner.logger)))  # type: ignore[type-var]

    def before_run(self, runner: Runner) -> None:
        """Takes the place at the bottom of a terminal."""
        self._shown = self._shown and is_main_process()
        self._interval = ((runner.cfg.get('default_hooks') or {}).get('logger') or {}).get('interval', 10)
        if self._shown and self._console.is_terminal and not self._console.is_dumb_terminal:
            self._bar = Progress(TextColumn('{task.description}'), BarColumn(), TextColumn('{task.fields[told]}'),
                                 console=self._console, auto_refresh=False, transient=True, redirect_stdout=False)
            self._bar.add_task('', told='')
            self._bar.start()
            if isinstance(runner, ConsoleRunner):
                runner.stream.setStream(FileProxy(self._console, sys.stdout))

    def before_train(self, runner: Runner) -> None:
        """Prints the head, for by now all is built."""
        self._hushed.close()
        head = describe_run(runner, self.data, self.notes)
        runner.logger.info('\n' + head)
        self._print(head)
        self._since = time.monotonic()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: Mapping | None = None) -> None:
        """Shows loss, rate, speed and the time left."""
        now, done, total = time.monotonic(), runner.iter + 1, runner.max_iters
        self._seconds.append(now - self._since)
        loop = runner.train_loop
        by_epoch = isinstance(loop, EpochBasedTrainLoop)
        size = len(loop.dataloader) if by_epoch else total
        step = batch_idx + 1 if by_epoch else done
        where = f'epoch {runner.epoch + 1}/{runner.max_epochs}, step' if by_epoch else 'iteration'
        if self._due(step, size, done == total):
            self._tell(f'{where} {step}/{size}', done / total, self._course(runner, total - done))
        self._since = time.monotonic()

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Shows how far the validation is."""
        size = len(runner.val_loop.dataloader)
        if batch_idx + 1 == size:
            self.hush(runner)
        if self._bar and self._due(batch_idx + 1, size):
            self._tell(f'validating {batch_idx + 1}/{size}', (batch_idx + 1) / size, '')

    def before_test(self, runner: Runner) -> None:
        """Listens again, for by now all is built."""
        self._hushed.close()

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Shows how far the test is; behind the last step the metrics print their tables."""
        size = len(runner.test_loop.dataloader)
        if self._due(batch_idx + 1, size):
            self._tell(f'testing {batch_idx + 1}/{size}', (batch_idx + 1) / size, '')
        if batch_idx + 1 == size and isinstance(runner, ConsoleRunner):
            self.close()
            runner.visible.all = True

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Adds a row to the table."""
        self._hushed.close()
        self.metrics = dict(metrics or {})
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
        """Keeps the metrics."""
        self.metrics = dict(metrics or {})

    def close(self) -> None:
        """Gives the bottom of the terminal back."""
        self._hushed.close()
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _due(self, step: int, size: int, last: bool = False) -> bool:
        if not self._bar:
            return self._shown and (step % self._interval == 0 or last)
        return last or step == size or time.monotonic() - self._drawn > _SECONDS

    def _tell(self, where: str, share: float, told: str) -> None:
        self._drawn = time.monotonic()
        if self._bar:
            self._bar.update(self._bar.task_ids[0], description=where, completed=100 * share, told=told, refresh=True)
        else:
            self._print(f'{where}  {told}'.rstrip())

    def _print(self, text: str) -> None:
        if self._bar:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)
        elif self._shown:
            print(text, file=self._console.file, flush=True)

    def _course(self, runner: Runner, left: int) -> str:
        """Loss, learning rate, images a second and time left."""
        hub = runner.message_hub
        loss = hub.get_scalar('train/loss').mean(self._interval) if 'train/loss' in hub.log_scalars else float('nan')
        rate = next(iter(runner.optim_wrapper.get_lr().values()))[0]
        seconds = sum(self._seconds) / len(self._seconds)
        images = (runner.train_dataloader.batch_size or 1) * get_world_size() / seconds
        return f'loss {loss:.4g}  lr {rate:.3g}  {images:.3g} images/s  ETA {timedelta(seconds=round(seconds * left))}'
