"""Puts milliseconds on this CPU beside the metrics of a validation or a test."""
import time

from mmengine import dist
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from lcvision.errors import UserError
from lcvision.latency import Budget, Subject, check_threads, environment, run_benchmark
from lcvision.latency.engines import select_engines
from lcvision.latency.input_size import find_input_size
from lcvision.latency.network import raw_network, task_of
from lcvision.latency.table import format_ms
from lcvision.registry import HOOKS


@HOOKS.register_module()
class CPULatencyHook(Hook):
    """Measures the network that was just evaluated, as one deploys it, and adds ``latency/net_ms`` to the metrics.

    A copy of the model with the weights as they stand (those of an EMA if one is evaluated) is fused and measured with
    batch 1, tensor to raw maps. ``latency/net_ms`` is the median and ``latency/p90_ms`` the ninth decile; being
    ordinary metrics they are logged on the line of the others and reach every visualiser. The whole records are in
    :attr:`records` and in the message hub under 'latency/records'. In a distributed run the first rank measures and
    the others wait.

    Args:
        engine: One engine, several separated by commas, 'all' or 'best'; the metric is the quickest.
        threads: Threads of an operator; None takes as many as can run at once here.
        input_size: Height and width in pixels; None takes those of the config's test pipeline.
        interval: Validations from one measurement to the next; a test is always measured.
        samples: Samples at most; below 64 there is no ``latency/p90_ms``.
        max_seconds: Seconds of sampling, and of warming up, at most.

    Raises:
        ValueError: An argument is not one of these.
    """

    # Before RuntimeInfoHook, which takes the metrics for the log, and before the EMA takes its weights away.
    priority = 'HIGHEST'

    def __init__(self, engine: str = 'eager', threads: int | None = None,
                 input_size: tuple[int, int] | int | None = None, interval: int = 1, samples: int = 100,
                 max_seconds: float = 10.):
        self.budget = Budget(samples=samples, max_seconds=max_seconds, warmup_seconds=max_seconds)
        if not isinstance(engine, str):
            raise ValueError(f'engine is the name of an engine, such as "eager", got {engine!r}')
        try:
            select_engines(engine)
            if threads is not None:
                check_threads([_whole('threads', threads)])
        except UserError as error:
            raise ValueError(str(error)) from error
        self.engine = engine
        self.threads = threads
        self.input_size = None if input_size is None else _size(input_size)
        self.interval = _whole('interval', interval)
        self.records: list[dict] = []
        self._validations = 0

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Measures at every ``interval``-th validation."""
        self._validations += 1
        if self._validations % self.interval == 0:
            self._add(runner, metrics)

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Measures."""
        self._add(runner, metrics)

    def _add(self, runner: Runner, metrics: dict | None) -> None:
        message: list = [None, []]
        if dist.is_main_process():
            # Whatever happens here, the other ranks are waiting to be told.
            try:
                message[1] = self._measure(runner)
            except UserError as error:
                message[0] = str(error)
            except Exception:
                runner.logger.exception('CPU latency could not be measured; the run goes on without it')
        dist.broadcast_object_list(message, src=0)
        if message[0] is not None:
            raise UserError(message[0])
        self.records = message[1]
        runner.message_hub.update_info('latency/records', self.records, resumed=False)
        if self.records and metrics is not None:
            latency = min((record['latency_ms'] for record in self.records), key=lambda ms: ms['median'])
            metrics['latency/net_ms'] = latency['median']
            if latency['p90'] is not None:
                metrics['latency/p90_ms'] = latency['p90']

    def _measure(self, runner: Runner) -> list[dict]:
        start = time.monotonic()
        subject = self._subject(runner)
        threads = self.threads or environment.usable_threads()
        outcome = run_benchmark([subject], select_engines(self.engine), [threads], budget=self.budget,
                            best_only=self.engine == 'best')
        for failure in outcome.failures:
            runner.logger.error(f'CPU latency was not measured: {failure}')
        for record in outcome.records:
            runner.logger.info(describe(record) + f', took {time.monotonic() - start:.1f} s')
        return outcome.records

    def _subject(self, runner: Runner) -> Subject:
        model: nn.Module = runner.model.module if is_model_wrapper(runner.model) else runner.model
        size = self.input_size or find_input_size(runner.cfg)
        network = raw_network(model, size)
        settings = runner.cfg.get('model')
        return Subject(
            config=runner.cfg.filename or runner.experiment_name,
            task=task_of(model),
            network=network,
            input_size=size,
            config_hash=environment.config_hash(settings.to_dict()) if hasattr(settings, 'to_dict') else None,
            weights_hash=environment.weights_hash(network))


def describe(record: dict) -> str:
    """A record as one line of a log."""
    ms = record['latency_ms']
    layout = f" ({record['layout']})" if record.get('layout') else ''
    noisy = f"; NOISY: {', '.join(record['noisy_because'])}" if record['noisy'] else ''
    return (f"CPU latency of the network: median {format_ms(ms['median'])} ms, p10 {format_ms(ms['p10'])}, "
            f"p90 {format_ms(ms['p90'])}, {record['samples']} samples, {record['engine']}{layout}, "
            f"{record['precision']}, {record['threads']} thread(s), batch 1, "
            f"{record['input'][0]}x{record['input'][1]}{noisy}")


def _size(value: tuple[int, int] | int) -> tuple[int, int]:
    sides = (value, value) if isinstance(value, int) else tuple(value)
    if len(sides) != 2:
        raise ValueError(f'input_size is (height, width) in pixels, got {value!r}')
    return _whole('input_size', sides[0]), _whole('input_size', sides[1])


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f'{name} must be a whole number of at least 1, got {value!r}')
    return value
