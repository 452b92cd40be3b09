"""Puts milliseconds on this CPU beside the metrics of a validation or a test."""
import copy
import time

from mmengine import dist
from mmengine.hooks import Hook
from mmengine.runner import Runner

from lcvision import environment
from lcvision.deploy.engines import check_precisions, select_engines
from lcvision.deploy.input_size import find_input_size
from lcvision.deploy.network import raw_network, unwrapped
from lcvision.errors import UserError
from lcvision.latency import Budget, LatencyRecord, Subject, run_benchmark
from lcvision.latency.end_to_end import end_to_end
from lcvision.latency.joint_score import JointScore
from lcvision.latency.record import Summary, parse_scopes
from lcvision.latency.table import format_ms
from lcvision.registry import HOOKS
from lcvision.tasks import task_of


@HOOKS.register_module()
class CPULatencyHook(Hook):
    """Measures the network just evaluated, as it would be deployed, and adds ``latency/net_ms`` to the metrics.

    A copy of the model with its present weights, or those of an EMA, is fused and measured with batch 1.
    ``latency/net_ms`` is the median from tensor to raw maps and ``latency/p90_ms`` its ninth decile; ``latency/e2e_ms``
    is the median from an encoded image to the result. The whole records are in :attr:`records` and, as plain JSON, in
    the message hub under 'latency/records'. In a distributed run the first rank measures and the others wait.

    With ``joint`` the metrics also have ``joint/score``, by which ``save_best='joint/score'`` chooses between networks
    that differ in time, as in a search or in pruning.

    Args:
        engine: One engine, several separated by commas, 'all' or 'best'; the metric is the quickest.
        precision, scope: 'fp32' or 'bf16'; 'net', 'e2e' or 'net,e2e'.
        threads: Threads of an operator; None takes as many as can run at once here.
        input_size: Height and width in pixels; None takes those of the config's test pipeline.
        interval: Validations from one measurement to the next; a test is always measured.
        samples: Samples at most; below 64 there is no ``latency/p90_ms``.
        max_seconds: Seconds of sampling, and of warming up, at most.
        joint: Arguments of :class:`lcvision.latency.joint_score.JointScore`: ``metric``, ``budget_ms`` and optionally
            ``weight`` and ``scope``. Between two measurements the last one counts. None for no score.
    """

    # After other metrics (HIGHEST), before RuntimeInfoHook (10) logs them and the EMA takes its weights away.
    priority = 1

    def __init__(self, engine: str = 'eager', threads: int | None = None,
                 input_size: tuple[int, int] | int | None = None, interval: int = 1, samples: int = 100,
                 max_seconds: float = 10., precision: str = 'fp32', scope: str = 'net', joint: dict | None = None):
        self.budget = Budget(samples=samples, max_seconds=max_seconds, warmup_seconds=max_seconds)
        if not isinstance(engine, str):
            raise ValueError(f'engine is the name of an engine, such as "eager", got {engine!r}')
        try:
            self.scopes = parse_scopes(scope)
            check_precisions([precision], select_engines(engine))
            if threads is not None:
                environment.check_threads([_whole('threads', threads)])
        except UserError as error:
            raise ValueError(str(error)) from error
        self.joint = None if joint is None else _joint(joint, self.scopes)
        self.input_size = None if input_size is None else _size(input_size)
        self.engine, self.precision, self.threads = engine, precision, threads
        self.interval = _whole('interval', interval)
        self.records: list[LatencyRecord] = []
        self._validations = 0

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        self._validations += 1
        if self._validations % self.interval == 0:
            self._add(runner, metrics)
        self._score(metrics)

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        self._add(runner, metrics)
        self._score(metrics)

    def _add(self, runner: Runner, metrics: dict | None) -> None:
        message: list = [None, []]
        if dist.is_main_process():
            # Whatever happens here, the other ranks wait for the message.
            try:
                message[1] = self._measure(runner)
            except UserError as error:
                message[0] = str(error)
            except Exception:
                runner.logger.exception('CPU latency could not be measured; the run continues without it')
        dist.broadcast_object_list(message, src=0)
        if message[0] is not None:
            raise UserError(message[0])
        self.records = message[1]
        runner.message_hub.update_info('latency/records', [record.to_json() for record in self.records], resumed=False)
        if self.records and metrics is not None:
            for scope, latency in self._quickest().items():
                metrics[f'latency/{scope}_ms'] = latency.median
                if scope == 'net' and latency.p90 is not None:
                    metrics['latency/p90_ms'] = latency.p90

    def _quickest(self) -> dict[str, Summary]:
        ordered = sorted(self.records, key=lambda record: -record.latency_ms.median)
        return {record.scope: record.latency_ms for record in ordered}

    def _score(self, metrics: dict | None) -> None:
        latency = self._quickest().get(self.joint.scope) if self.joint else None
        # A detector that finds nothing yet has neither metric nor score.
        if self.joint and latency and metrics is not None and self.joint.metric in metrics:
            metrics['joint/score'] = self.joint(metrics[self.joint.metric], latency.median)

    def _measure(self, runner: Runner) -> list[LatencyRecord]:
        start = time.monotonic()
        subject = self._subject(runner)
        threads = self.threads or environment.usable_threads()
        outcome = run_benchmark([subject], select_engines(self.engine), [threads], precisions=[self.precision],
                                scopes=self.scopes, budget=self.budget)
        for failure in outcome.failures:
            runner.logger.error(f'CPU latency was not measured: {failure}')
        for record in outcome.records:
            runner.logger.info(describe(record) + f', took {time.monotonic() - start:.1f} s')
        return outcome.records

    def _subject(self, runner: Runner) -> Subject:
        model = unwrapped(runner.model)
        size = self.input_size or find_input_size(runner.cfg)
        # A copy, since the training continues with the model, and the surroundings are in eval mode.
        network = raw_network(model, size)
        weights_hash, surroundings = environment.weights_hash(network), None
        if 'e2e' in self.scopes:
            network, surroundings = end_to_end(runner.cfg, copy.deepcopy(model).cpu().eval(), size, untrained=False)
        settings = runner.cfg.get('model')
        config_hash = environment.config_hash(settings.to_dict()) if hasattr(settings, 'to_dict') else None
        return Subject(config=runner.cfg.filename or runner.experiment_name, task=task_of(model).name, network=network,
                       input_size=size, config_hash=config_hash, weights_hash=weights_hash, end_to_end=surroundings)


def describe(record: LatencyRecord) -> str:
    """A record as one line of a log."""
    ms = record.latency_ms
    layout = f' ({record.layout})' if record.layout else ''
    noisy = f"; NOISY: {', '.join(record.noisy_because)}" if record.noisy else ''
    what = 'from image to result' if record.scope == 'e2e' else 'of the network'
    return (f'CPU latency {what}: median {format_ms(ms.median)} ms, p10 {format_ms(ms.p10)}, p90 {format_ms(ms.p90)}, '
            f'{record.samples} samples, {record.engine}{layout}, {record.precision}, {record.threads} thread(s), '
            f'batch 1, {record.size}{noisy}')


def _joint(settings: dict, scopes: list[str]) -> JointScore:
    try:
        score = JointScore(**settings)
    except TypeError as error:
        raise ValueError(f'joint is dict(metric=, budget_ms=, weight=, scope=), got {settings!r}') from error
    if score.scope not in scopes:
        raise ValueError(f"joint needs scope {score.scope!r}, but scope is {','.join(scopes)!r}: 'net,e2e' is both")
    return score


def _size(value: tuple[int, int] | int) -> tuple[int, int]:
    sides = (value, value) if isinstance(value, int) else tuple(value)
    if len(sides) != 2:
        raise ValueError(f'input_size is (height, width) in pixels, got {value!r}')
    return _whole('input_size', sides[0]), _whole('input_size', sides[1])


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f'{name} must be a whole number of at least 1, got {value!r}')
    return value
