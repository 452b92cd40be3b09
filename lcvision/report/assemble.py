"""Joins accuracy and latency of the same network."""
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lcvision.errors import UserError
from lcvision.latency.record import LatencyRecord
from lcvision.papers import PAPER_DATA, PAPER_MACHINE, PP_LCNET
from lcvision.report.names import MACHINE_NOT_RECORDED, drop_shared_start, engine_of, model_of
from lcvision.report.pareto import pareto_front
from lcvision.report.reading import Evaluation, Inputs, read_inputs
from lcvision.tasks import TASKS, Task

# What the points of one picture share.
VIEW = ('data', 'machine', 'scope', 'threads')


@dataclass
class TaskReport:
    """All points of a task.

    Attributes:
        task, metric: 'detection', 'segmentation' or 'classification', and what its axis says.
        points, latency_only: With accuracy and milliseconds, and with milliseconds alone.
        paper: Rows of papers, each with ``median`` and whether it is on their ``front``.
        view: The part of the points that is shown first: a value for each of VIEW.
    """

    task: str
    metric: str
    points: list[dict]
    latency_only: list[dict]
    paper: list[dict]
    view: dict

    @property
    def paper_source(self) -> str:
        """Where the papers' rows come from."""
        numbers = sorted({row['table'] for row in self.paper})
        tables = f'table{"s" * (len(numbers) > 1)} {" and ".join(map(str, numbers))}'
        return f'{PAPER_DATA[self.task]}, {tables}, {PAPER_MACHINE}'


@dataclass
class Report:
    """All that is drawn: the tasks with a point, in their usual order, and what was read; machines have names."""

    tasks: list[TaskReport]
    inputs: Inputs


def make_report(paths: Sequence[str | Path]) -> Report:
    """Reads what :func:`lcvision.report.reading.read_inputs` takes, and joins accuracies and latencies.

    They belong together if config, precision, input size and number of parameters are the same.
    """
    inputs = read_inputs(paths)
    names = _name_machines(inputs.machines)
    measured = _best_measured([timed(record, MACHINE_NOT_RECORDED if machine is None else names[machine], source)
                               for record, machine, source in inputs.timings])
    if not measured:
        raise UserError('nothing to draw: no input has a latency record; give a file of lcvision benchmark --json '
                        'for the same configs as well')
    joined = _join(inputs, measured)
    tasks = [_task_report(task, joined, measured) for task in TASKS.values()]
    return Report([task for task in tasks if task.points or task.latency_only], inputs)


def in_view(points: Iterable[dict], view: dict) -> list[dict]:
    """Those of some points that have a view's values; points without accuracy have no data set and are in each."""
    return [point for point in points if all(point.get(key, view[key]) == view[key] for key in VIEW)]


def timed(record: LatencyRecord, machine: str = MACHINE_NOT_RECORDED, source: str = '') -> dict:
    """A record as a point without accuracy, given the names of its machine and of its file."""
    ms, paced, stem = record.latency_ms, (record.yardstick or {}).get('network'), record.name
    return dict(
        config=record.config, stem=stem, model=model_of(stem), task=record.task, engine=record.engine,
        engine_name=engine_of(record.engine), precision=record.precision, threads=record.threads, scope=record.scope,
        input=record.input, params=record.params, macs=record.macs, median=ms.median, p10=ms.p10, p90=ms.p90,
        low=ms.ci95[0], high=ms.ci95[1], samples=record.samples, first=record.first_ms, compile=record.compile_s,
        by_yardstick=paced and dict(median=paced['ratio'], low=paced['ci95'][0], high=paced['ci95'][1]),
        noisy=record.noisy, why=record.noisy_because, machine=machine, source=source)


def _task_report(task: Task, joined: list[tuple[Evaluation, dict]], measured: list[dict]) -> TaskReport:
    used = {id(timing) for _, timing in joined}
    points = _labelled([{**timing, 'run': evaluation.name, 'accuracy': evaluation.accuracy, 'data': evaluation.data,
                          'spread': evaluation.spread}
                        for evaluation, timing in joined if timing['task'] == task.name])
    rest = _labelled([timing for timing in measured if timing['task'] == task.name and id(timing) not in used])
    rows = [{**asdict(row), 'median': row.ms} for row in PP_LCNET.rows if row.task == task.name and row.ms is not None]
    plain = [row for row in rows if not row['distilled']]
    front = [plain[i] for i in pareto_front(plain)]
    return TaskReport(task.name, task.title, points, rest, [{**row, 'front': row in front} for row in rows],
                      _first_view(points or rest))


def _best_measured(timings: list[dict]) -> list[dict]:
    """Of the same thing measured several times the quiet one, then the one with the most samples."""
    def key(timing: dict) -> tuple:
        return (*timing['input'], *(timing[part] for part in ('stem', 'params', 'engine', 'precision', *VIEW[1:])))
    best = {key(timing): timing for timing in timings}
    for timing in sorted(timings, key=lambda timing: (not timing['noisy'], timing['samples'] or 0)):
        best[key(timing)] = timing
    return list(best.values())


def _join(inputs: Inputs, measured: list[dict]) -> list[tuple[Evaluation, dict]]:
    """Each accuracy with each of its latencies; one that has none becomes a remark."""
    joined = []
    for evaluation in inputs.evaluations:
        found = [timing for timing in measured if _same_network(evaluation, timing)]
        # Without records of its own, its size and number of classes are unknown.
        if not evaluation.records and len({(*timing['input'], timing['params']) for timing in found}) > 1:
            found = []
        joined += [(evaluation, timing) for timing in found]
        if not found:
            inputs.remarks.append(f'{evaluation.name}: {evaluation.accuracy:.1f} % on {evaluation.data}, without a '
                                  'latency record that is surely of the same network.')
    return joined


def _same_network(evaluation: Evaluation, timing: dict) -> bool:
    # Its own records have its size: at another one, or with other classes, its accuracy is unknown.
    own = [(record.input, record.params) for record in evaluation.records]
    alike = (timing['stem'], timing['task'], timing['precision']) == (
        Path(evaluation.config).stem, evaluation.task, evaluation.precision)
    return alike and (not own or any(timing['input'] == size and timing['params'] in (params, None)
                                     for size, params in own))


def _labelled(points: list[dict]) -> list[dict]:
    """Adds ``name``, which tells runs and sizes apart where that is needed, and without a shared start ``label``."""
    runs = Counter(model for model, _ in {(point['model'], point.get('run')) for point in points})
    sizes = Counter(model for model, _ in {(point['model'], _size(point)) for point in points})
    for point in points:
        name = _run_name(point) if runs[point['model']] > 1 else point['model']
        point['name'] = f'{name} @{_size(point)}' if sizes[point['model']] > 1 else name
    for point, label in zip(points, drop_shared_start([point['name'] for point in points]), strict=True):
        point['label'] = label
    return points


def _run_name(point: dict) -> str:
    # The precision is named in any case.
    run = point.get('run', point['stem']).removesuffix(f"_{point['precision']}")
    if run == point['stem']:
        return point['model']
    # 'NAME_converted' reads on from its config's name; any other name is beside the point.
    return model_of(run) if run.startswith(f"{point['stem']}_") else f"{point['model']} ({run})"


def _first_view(points: list[dict]) -> dict:
    """The view with the most models; of equals that of the network alone, on a known machine, with fewer threads."""
    # Not a set, whose order varies: the first of equals wins.
    models = dict.fromkeys((tuple(map(point.get, VIEW)), point['name']) for point in points)
    counts = Counter(view for view, _ in models)
    best = min(counts, default=VIEW,
               key=lambda view: (-counts[view], view[2] != 'net', view[1] == MACHINE_NOT_RECORDED, view[3]))
    return dict(zip(VIEW, best, strict=True))


def _name_machines(machines: list[dict]) -> list[str]:
    """Gives each machine a ``name``, its CPU's, with a number where several have the same."""
    names = [str(machine.get('cpu') or 'unnamed CPU') for machine in machines]
    for place, (name, machine) in enumerate(zip(names, machines, strict=True)):
        machine['name'] = name if names.count(name) == 1 else f'{name} ({place + 1})'
    return [machine['name'] for machine in machines]


def _size(point: dict) -> str:
    height, width = point['input']
    return str(height) if height == width else f'{height}x{width}'
