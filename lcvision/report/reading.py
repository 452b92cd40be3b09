"""Runs and reports, read and checked."""
import ast
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lcvision.errors import UserError
from lcvision.latency.record import LatencyRecord, Measurements, parse_json, read_records
from lcvision.report.names import DATA_NOT_RECORDED, data_named, data_of
from lcvision.tasks import TASKS, task_of_metrics
from lcvision.training.newest_run import RECORD

_REPORT, _LATENCY = 'test.json', 'latency.json'
_WRITTEN_BY = 'lcvision test --json or lcvision benchmark --json wrote'
# What of a machine changes milliseconds; load and revision differ from one measurement to the next.
_MACHINE = ('cpu', 'flags', 'cores', 'affinity', 'cgroup_quota', 'isa_cap')


@dataclass
class Evaluation:
    """One checkpoint's accuracy.

    Attributes:
        config, task: Path or name of its config; 'detection', 'segmentation' or 'classification'.
        accuracy, data: In percent, on the data set of this name; the mean of several trainings.
        spread: Smallest and largest of several trainings, in percent.
        name: Of its file or run, which tells two evaluations of one config apart.
        precision, records: Of the network that was evaluated; latency records of the same report.
    """

    config: str
    task: str
    accuracy: float
    data: str
    name: str
    precision: str = 'fp32'
    records: list[LatencyRecord] = field(default_factory=list)
    spread: tuple[float, float] | None = None


@dataclass
class Inputs:
    """All that was read.

    Attributes:
        evaluations: Of ``lcvision test`` and of runs.
        timings: Latency record, its machine's place in ``machines`` (None: not recorded) and its file's name.
        machines: Environments as ``lcvision benchmark`` writes them, each with ``source``.
        sources, remarks: Names of the files read, and what of them is left out, a sentence each.
    """

    evaluations: list[Evaluation] = field(default_factory=list)
    timings: list[tuple[LatencyRecord, int | None, str]] = field(default_factory=list)
    machines: list[dict] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass
class _Run:
    files: list[Path]  # its reports
    config: str  # name
    recorded: str | None  # name of its data set, by the training
    folder: str | None  # the same in the config of older runs
    metrics: dict | None  # of its last validation where no report has them


def read_inputs(paths: Sequence[str | Path]) -> Inputs:
    """Reads folders of runs, files of ``lcvision test --json`` and of ``lcvision benchmark --json``, search.json
    and sweep.json.

    What is given twice counts once.
    """
    inputs, seen = Inputs(), set()
    for path in map(Path, paths):
        try:
            run = _read_run(path) if path.is_dir() else None
        except OSError as error:
            raise UserError(f'{str(path)[:200]} cannot be read: {error.strerror}; give another') from error
        for file in run.files if run else [path]:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                _take(inputs, file, path.name if run else _name(file), run)
        if run and run.metrics is not None and path.resolve() not in seen:
            seen.add(path.resolve())
            inputs.sources.append(f'{path.name}/ (its last validation)')
            _take_evaluation(inputs, path, {'config': run.config, 'metrics': run.metrics}, path.name, run)
    return inputs


def _name(path: Path) -> str:
    # By default the tools write the same names in each run.
    return path.resolve().parent.name if path.stem in ('test', 'latency', 'report') else path.stem


def _take(inputs: Inputs, path: Path, name: str, run: _Run | None) -> None:
    if not path.is_file():
        raise UserError(f'{path} does not exist: give folders of runs, or files that {_WRITTEN_BY}')
    try:
        content = parse_json(path.read_bytes())
    except (ValueError, OSError) as error:
        raise UserError(f'{path} is not JSON ({error}): give a file that {_WRITTEN_BY}') from error
    content = content if isinstance(content, dict) else {}
    # Of lcvision search and lcvision sweep: networks as lcvision test --json writes one.
    several = content.get('results' if 'plan' in content and 'groups' not in content else 'evaluations')
    if not isinstance(several, list) or not all(isinstance(part, dict) for part in several):
        several = [content]
    for part in several:
        _take_content(inputs, path, {'environment': content.get('environment'), 'data': content.get('data'), **part},
                      str(part.get('config')) if part is not content else name, run)


def _take_content(inputs: Inputs, path: Path, content: dict, name: str, run: _Run | None) -> None:
    if 'schema' in content:
        records = Measurements.from_json(content, str(path)).records
    elif isinstance(content.get('metrics'), dict) and 'config' in content:
        records = content.get('latency') or []
        if not isinstance(records, list):
            raise UserError(f'{path}: latency is not a list of records: write it again with lcvision test --json')
        records = read_records(records, str(path))
        if not _take_evaluation(inputs, path, content, name, run, records) and not records:
            metrics = ', '.join(task.metric for task in TASKS.values())
            raise UserError(f'{path} has neither latency nor one of the metrics {metrics}: evaluate with lcvision test '
                            '--json')
    else:
        raise UserError(f'{path} is of another kind: give a file that lcvision test --json (config, metrics, latency) '
                        'or lcvision benchmark --json (schema, environment, results) wrote')
    environment = content.get('environment')
    machine = _machine(inputs, environment, path) if isinstance(environment, dict) else None
    inputs.timings += [(record, machine, path.name) for record in records if record.hint == 'latency']
    inputs.sources.append(path.name if path.stem == name else f'{name}/{path.name}')


def _machine(inputs: Inputs, environment: dict, path: Path) -> int:
    def key(machine: dict) -> list[str]:
        return [json.dumps(machine.get(part)) for part in _MACHINE]

    for place, known in enumerate(inputs.machines):
        if key(known) == key(environment):
            known['source'] += f', {path.name}'
            return place
    inputs.machines.append({**environment, 'source': path.name})
    return len(inputs.machines) - 1


def _take_evaluation(inputs: Inputs, path: Path, content: dict, name: str, run: _Run | None,
                     records: Sequence[LatencyRecord] = ()) -> bool:
    """Whether the content has one of the metrics."""
    metrics = content['metrics']
    task = task_of_metrics(metrics)
    if task is None:
        return False
    value, most = metrics[task.metric], task.whole
    ends: list = [value.get(end) for end in ('mean', 'min', 'max')] if isinstance(value, dict) else [value]
    if None in ends:
        inputs.remarks.append(f'{name}: its {task.metric} is not a number, as after a training that diverged.')
        return True
    if any(isinstance(end, bool) or not isinstance(end, int | float) or not 0 <= end <= most for end in ends):
        raise UserError(f'{path}: {task.metric} is {value!r}, which is no accuracy between 0 and {most}: evaluate '
                        'again with lcvision test --json')
    config, (accuracy, *spread) = str(content['config']), (round(end * 100 / most, 3) for end in ends)
    inputs.evaluations.append(Evaluation(
        config, task.name, accuracy, _data(content.get('data'), Path(config).stem, run), name,
        str(content.get('precision', 'fp32')), list(records), (spread[0], spread[1]) if spread else None))
    return True


def _data(recorded: Any, stem: str, run: _Run | None) -> str:
    """The data set's name: as recorded, else as the config's name has it, else as the run's config names its folder."""
    for folder in (recorded, run.recorded if run else None):
        if isinstance(folder, str) and Path(folder).name:
            return data_named(Path(folder).name)
    by_name = data_of(stem)
    return run.folder if run and run.folder and by_name == DATA_NOT_RECORDED else by_name


def _read_run(folder: Path) -> _Run:
    configs = sorted(folder.glob('*.py'), key=lambda path: path.stat().st_mtime)
    record = _recorded(folder / RECORD)
    files = [path for name in (_REPORT, _LATENCY) if (path := folder / name).is_file()]
    config = record.get('config') or (configs[-1].name if configs else folder.name)
    run = _Run(files, Path(config).stem, record.get('data'), _data_root(configs[-1]) if configs else None,
               None if (folder / _REPORT).is_file() else _last_metrics(folder))
    if not run.files and run.metrics is None:
        raise UserError(f'{folder} holds no run: it has neither {_REPORT} nor {_LATENCY} nor a validation in '
                        '*/vis_data/scalars.json; give the --work-dir of a run of lcvision train')
    return run


def _recorded(path: Path) -> dict[str, str]:
    try:
        record = parse_json(path.read_bytes())
    except (OSError, ValueError):  # an older run
        return {}
    return {key: value for key, value in record.items() if isinstance(value, str)} if isinstance(record, dict) else {}


def _last_metrics(folder: Path) -> dict | None:
    for log in sorted(folder.glob('*/vis_data/scalars.json'), reverse=True):
        for text in reversed(log.read_bytes().splitlines()):
            try:
                line = parse_json(text)
            except ValueError:  # a run that was killed, or goes on, leaves half a line
                continue
            if isinstance(line, dict) and task_of_metrics(line):
                return line
    return None


def _data_root(config: Path) -> str | None:
    """Reads ``test_dataloader.dataset.data_root`` off the text of a run's config, which is never executed."""
    try:
        body = ast.parse(config.read_bytes()).body
        node: Any = next(item.value for item in body
                         if isinstance(item, ast.Assign) and ast.unparse(item.targets[0]) == 'test_dataloader')
        for key in ('dataset', 'data_root'):
            node = next(word.value for word in node.keywords if word.arg == key)
        return Path(ast.literal_eval(node)).name or None
    except Exception:  # a foreign config, or one of another shape: its data only stay without a name
        return None
