"""Measures the networks that configs describe."""
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import print_log

from lcvision import environment
from lcvision.config import config_name, load_config
from lcvision.deploy.engines import check_hint, check_precisions, select_engines
from lcvision.deploy.input_size import find_input_size
from lcvision.deploy.network import build_model, raw_network
from lcvision.errors import UserError, plain_errors
from lcvision.frameworks import CONFIGS
from lcvision.latency.benchmark import run_benchmark
from lcvision.latency.end_to_end import end_to_end
from lcvision.latency.record import LatencyRecord, parse_scopes
from lcvision.latency.subject import Subject
from lcvision.tasks import task_of
from lcvision.timing.rounds import Budget


@plain_errors()
def measure(configs: str | Path | Config | Sequence[str | Path | Config], *, engine: str = 'all',
            threads: int | Sequence[int] | None = None, input_size: tuple[int, int] | None = None,
            precision: str = 'fp32', scope: str = 'net', hint: str = 'latency', samples: int = 200,
            max_seconds: float = 60.) -> list[LatencyRecord]:
    """Measures the networks of configs on this CPU, batch 1; needs neither data nor weights.

    Args:
        configs: A config or several, by path or name or as objects.
        engine: Engines separated by commas, 'all' for every one installed, or 'best'.
        threads: Threads of an operator, one number or several; None takes as many as can run at once.
        input_size: Height and width; None takes those of each config's test pipeline.
        precision: Precisions separated by commas.
        scope: 'net' is tensor to raw maps, 'e2e' an encoded image in memory to the result, 'net,e2e' both.
        hint: 'latency' for one image at a time; 'throughput' for as many as keep all threads busy, whose records have
            ``images_per_s``, on 'openvino' and 'onnxruntime'.
        samples: Samples of each row at most.
        max_seconds: Seconds of sampling of each row at most, and half as many of warm-up.

    Returns:
        Records in the order of the configs; ``record.latency_ms.median`` is the headline number. A row that could not
        be measured is missing, and the log says why.

    Raises:
        UserError: An argument is wrong, or no row could be measured.
    """
    given = [configs] if isinstance(configs, (str, Path, Config)) else list(configs)
    loaded = [load_config(one) for one in given]
    engines, precisions, scopes = select_engines(engine), precision.split(','), parse_scopes(scope)
    check_precisions(precisions, engines)
    check_hint(hint, engines, scopes)
    try:
        budget = Budget(samples=samples, max_seconds=max_seconds, warmup_seconds=max_seconds / 2)
    except ValueError as error:
        raise UserError(str(error)) from error
    counts = [threads or environment.usable_threads()] if threads is None or isinstance(threads, int) else list(threads)
    environment.check_threads(counts)
    subjects = [make_subject(config_name(one), config, input_size or find_input_size(config), scopes)
                for one, config in zip(given, loaded)]
    outcome = run_benchmark(subjects, engines, counts, precisions=precisions, scopes=scopes, hint=hint,
                            budget=budget, noise_check=True)
    if not outcome.records:
        raise UserError(f'nothing could be measured: {"; ".join(map(str, outcome.failures + outcome.skipped))}')
    for failure in outcome.failures:
        print_log(f'not measured: {failure}', logger='current')
    return outcome.records


def make_subject(name: str, config: Config, size: tuple[int, int], scopes: Sequence[str]) -> Subject:
    """Builds the network of a config, which the user called ``name``, to be measured in these scopes."""
    model = build_model(config, input_size=size)
    network, surroundings = end_to_end(config, model, size) if 'e2e' in scopes else (raw_network(model, size), None)
    # Of a framework's config the part that is the same everywhere.
    name = name.rpartition(f'{CONFIGS}/')[2]
    return Subject(name, task_of(model).name, network, size, environment.config_hash(config.model.to_dict()),
                   end_to_end=surroundings)
