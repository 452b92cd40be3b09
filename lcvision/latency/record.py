"""What a benchmark gives: records, as objects and as the JSON that the tools write."""
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from lcvision.deploy.load import HINTS
from lcvision.errors import UserError
from lcvision.tasks import TASKS
from lcvision.timing.statistics import Summary

SCHEMA = 1
UNKNOWN = 'unknown'
"""The task of a file that does not say what it is for."""
SCOPES = {'net': 'network only', 'e2e': 'image to result'}
_REPAIR = 'write it again with lcvision benchmark --json or lcvision test --json'
# Written only where a record has them.
_OPTIONAL = ('streams', 'images_per_s', 'image', 'stages_ms', 'yardstick', 'profile')


@dataclass(kw_only=True)
class LatencyRecord:
    """One network on one engine; attributes are named as in the JSON, and what older files lack is None.

    Attributes:
        config: The config, as the user named it, of a task of :mod:`lcvision.tasks`.
        engine: Name of the engine that ran the network, in ``precision`` on ``threads`` threads, ``batch`` images.
        input: Height and width of the network's input.
        scope: 'net' is tensor to raw maps, 'e2e' an encoded image of the size ``image`` in memory to the result.
        hint: 'latency' is one image after the other, 'throughput' ``streams`` images at a time; ``latency_ms`` is then
            the time between two results, and ``images_per_s`` follows from it.
        params: Parameters; ``macs`` multiply-adds of one inference.
        latency_ms: Of so many ``samples``, after ``warmup_runs``.
        first_ms: The first inference, after ``compile_s`` seconds of compilation (None where nothing is compiled).
        max_abs_diff: Largest difference from the network in eager float32; ``response_error`` is what decides, see
            :func:`lcvision.deploy.output_check.response_error`.
        noisy: Whether the number cannot be trusted, for the reasons in ``noisy_because``, a clause each.
        layout: Memory layout of the activations, where the engine has a choice; ``engine_properties`` is what the
            runtime made of its settings, where it says.
        context_switches: Involuntary ones while sampling, which took ``cpu_seconds``, beside ``other_cpus``, CPUs'
            worth of other processes' work.
        subnormal_weights: Weights that are subnormal numbers.
        config_hash: Of the config's model; ``weights_hash`` of its weights, None for random ones.
        stages_ms: Milliseconds of the stages of scope 'e2e'.
        yardstick: By kind, see :meth:`lcvision.timing.yardstick.Yardstick.record`.
        profile: Layer by layer, see :func:`lcvision.latency.profiler.profile_benchmark.profile_inference`.
    """

    config: str
    task: str
    engine: str
    precision: str
    threads: int
    batch: int = 1
    input: list[int]
    scope: str = 'net'
    hint: str = 'latency'
    streams: int | None = None
    params: int | None = None
    macs: int | None = None
    latency_ms: Summary
    samples: int | None = None
    first_ms: float | None = None
    compile_s: float | None = None
    max_abs_diff: float | None = None
    noisy: bool = False
    noisy_because: list[str] = field(default_factory=list)
    response_error: float | None = None
    layout: str | None = None
    engine_properties: dict[str, str] | None = None
    warmup_runs: int | None = None
    context_switches: int | None = None
    cpu_seconds: float | None = None
    other_cpus: float | None = None
    subnormal_weights: int | None = None
    config_hash: str | None = None
    weights_hash: str | None = None
    image: list[int] | None = None
    stages_ms: dict[str, float] | None = None
    yardstick: dict[str, dict] | None = None
    profile: dict | None = None

    def __str__(self) -> str:
        return f'{self.name} {self.size}, {self.engine} {self.precision}, {self.threads} thr, {self.scope}' + (
            f', {self.hint}' if self.hint != 'latency' else '')

    @property
    def name(self) -> str:
        """The config's name without folder and ending."""
        return Path(self.config).stem

    @property
    def size(self) -> str:
        """The input as HxW."""
        return 'x'.join(map(str, self.input))

    @property
    def conditions(self) -> tuple:
        """What two records must share for their ratio to mean something."""
        return self.engine, self.precision, self.threads, *self.input, self.hint, self.scope

    @property
    def images_per_s(self) -> Summary | None:
        """Images per second of a row with the hint 'throughput'; p10 is that of the slowest tenth of the samples."""
        ms = self.latency_ms
        if self.hint == 'latency':
            return None
        return Summary(1e3 / ms.median, (1e3 / ms.ci95[1], 1e3 / ms.ci95[0]), *(
            1e3 / value if value else None for value in (ms.p90, ms.p10)))

    def to_json(self) -> dict:
        """Plain JSON."""
        rate = self.images_per_s
        content = {**vars(self), 'latency_ms': self.latency_ms.to_json(), 'images_per_s': rate and rate.to_json()}
        return {key: value for key, value in content.items() if value is not None or key not in _OPTIONAL}

    @classmethod
    def from_json(cls, content: Any, where: str) -> 'LatencyRecord':
        """Reads a record from parsed JSON, unknown keys ignored; a UserError names ``where`` something is wrong."""
        if not isinstance(content, dict):
            raise UserError(f'{where} is {type(content).__name__}, not a latency record: {_REPAIR}')
        wrong = cls.check(content)
        if wrong:
            raise UserError(f'{where} lacks a valid {", ".join(wrong)}: {_REPAIR}')
        known = {one.name: content[one.name] for one in fields(cls) if content.get(one.name) is not None}
        return cls(**{**known, 'latency_ms': Summary.from_json(content['latency_ms'])})

    @staticmethod
    def check(content: dict) -> list[str]:
        """Names of what a record in parsed JSON lacks or has of another kind."""
        def absent_or(right: Callable[[Any], bool]) -> Callable[[Any], bool]:
            return lambda value: value is None or right(value)

        rules: dict[str, Callable[[Any], bool]] = {
            **dict.fromkeys(('config', 'engine', 'precision'), _is_text), 'threads': _is_count,
            **dict.fromkeys(('params', 'macs', 'samples', 'streams'), absent_or(_is_count)),
            'hint': lambda value: value in (None, *HINTS),
            **dict.fromkeys(('first_ms', 'compile_s'), absent_or(_is_time)),
            'stages_ms': absent_or(lambda value: isinstance(value, dict) and all(map(_is_number, value.values()))),
            'noisy_because': absent_or(lambda value: isinstance(value, list) and all(map(_is_text, value))),
            'yardstick': absent_or(lambda value: isinstance(value, dict) and all(map(_is_ratio, value.values())))}
        wrong = [key for key, right in rules.items() if not right(content.get(key))]
        if content.get('task') not in (*TASKS, UNKNOWN):
            wrong.append(f"task ({', '.join(TASKS)})")
        if content.get('scope', 'net') not in (*SCOPES,):
            wrong.append(f"scope ({', '.join(SCOPES)})")
        if not _are(_is_count, content.get('input')):
            wrong.append('input ([H, W])')
        ms = content['latency_ms'] if isinstance(content.get('latency_ms'), dict) else {}
        # Few samples have no p90, and a series of one has no interval.
        times = dict(median=_is_time, p10=absent_or(_is_time), p90=absent_or(_is_time),
                     ci95=absent_or(lambda value: _are(_is_time, value)))
        return wrong + [f'latency_ms.{key}' for key, right in times.items() if not right(ms.get(key))]


@dataclass
class Measurements:
    """What ``lcvision benchmark --json`` writes: the machine (:func:`lcvision.environment.collect`) and rows."""

    environment: dict
    records: list[LatencyRecord]

    def to_json(self) -> dict:
        """Plain JSON."""
        return {'schema': SCHEMA, 'environment': self.environment, 'results': [row.to_json() for row in self.records]}

    @classmethod
    def from_json(cls, content: Any, where: str) -> 'Measurements':
        """Reads what :meth:`to_json` gave, also in an earlier version; anything else is a UserError with ``where``."""
        schema = content.get('schema') if isinstance(content, dict) else None
        if schema != SCHEMA:
            found = 'no schema' if schema is None else f'schema {schema!r}'
            raise UserError(f'{where} has {found}, but schema {SCHEMA} is needed: measure again with '
                            'lcvision benchmark --json, or take the version of lcvision that wrote it')
        if not isinstance(content.get('environment'), dict) or not isinstance(content.get('results'), list):
            raise UserError(f'{where} lacks environment or results: write it again with lcvision benchmark --json')
        return cls(content['environment'], read_records(content['results'], where))


@dataclass
class Failure:
    """A row that could not be measured: the subject's and the engine's name, the threads asked for, and the reason."""

    name: str
    engine: str
    threads: int
    reason: str

    def __str__(self) -> str:
        return f'{self.name}, engine {self.engine}, {self.threads} thread(s): {self.reason}'


@dataclass
class Outcome:
    """What a benchmark gave.

    Attributes:
        records: Rows, in the order of subjects, threads and engines.
        failures: Rows that could not be measured.
        noise_floors: Of the A/A check, one for each number of threads.
        skipped: Rows left out because time ran out or the engine lacks the precision.
    """

    records: list[LatencyRecord] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    noise_floors: list[dict] = field(default_factory=list)
    skipped: list[Failure] = field(default_factory=list)


def parse_scopes(text: object) -> list[str]:
    """Scopes of a text such as 'net,e2e', in their own order; refuses others with a :class:`UserError`."""
    names = set(text.split(',')) if isinstance(text, str) else set()
    if not names or not names <= SCOPES.keys():
        raise UserError(f"unknown scope {text!r}: scopes are {', '.join(SCOPES)}, or both as {','.join(SCOPES)}")
    return [name for name in SCOPES if name in names]


def read_records(rows: Iterable[Any], where: str) -> list[LatencyRecord]:
    """Reads the records of the file ``where``, see :meth:`LatencyRecord.from_json`."""
    return [LatencyRecord.from_json(row, f'{where}, record {place}') for place, row in enumerate(rows, 1)]


def parse_json(content: bytes) -> Any:
    """Parses JSON or raises a ValueError; numbers no page can hold (NaN, infinite, over 15 digits) become None."""
    try:
        return json.loads(
            content, parse_constant=lambda _: None, parse_int=lambda text: int(text) if len(text) <= 15 else None,
            parse_float=lambda text: value if math.isfinite(value := float(text)) else None)
    except RecursionError:
        raise ValueError('it is nested too deeply') from None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and bool(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_ratio(value: Any) -> bool:
    return isinstance(value, dict) and _is_time(value.get('ratio')) and _are(_is_time, value.get('ci95'))


def _are(kind: Callable[[Any], bool], pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(map(kind, pair))
