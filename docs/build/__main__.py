"""Writes the pages of results, of counts and of the families' cost, and their pictures."""
import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docs.build.answer import answer_lines, draw_answers
from docs.build.counts_page import counts_page
from docs.build.families import draw_families, families_table
from docs.build.peers_page import draw_peers, peers_page
from docs.build.result_tables import (
    STATUSES,
    busy_note,
    machine_of,
    markdown,
    results_table,
    table_4,
    task_of_report,
)
from docs.build.training_curves import STATUSES as CURVE_STATUSES
from docs.build.training_curves import draw_curves, extract_curve, read_curve
from lcvision.cli import run_tool
from lcvision.errors import UserError
from lcvision.files import write_atomically
from lcvision.latency import Measurements
from lcvision.report.names import DATA_NOT_RECORDED, data_of
from lcvision.tasks import TASKS

_FAMILIES_PICTURE = 'pictures/families_224.png'
_DOCS = Path(__file__).resolve().parents[1]
_REQUIRED = ('name', 'config', 'data', 'status', 'report')
_OPTIONAL = ('curve', 'paper', 'source', 'note')
_INTRO = """\
# Results
<!-- Generated from results.json and reports/ by `make docs`: edit those. -->

Our numbers are read from reports that `tools/test.py --json` and `tools/benchmark_cpu.py --json` wrote
([reports](reports)); those of papers and of the reference's own runs are marked as such.
"""
_TABLE_4 = """\

## PP-LCNet paper, table 4
Paper: COCO val2017, Xeon Gold 6148, 10 threads, MKLDNN. Compare ratios, not milliseconds, across machines. The paper
does not print the input size; 416 is assumed here ([why](reproduce.md#what-table-4s-recipe-assumes)).
"""
_FAMILIES = """\

## Latency of the families
The classifiers at the papers' size. What this says about uneven groups, shuffles and squeeze-and-excitation is in
[reproduce.md](reproduce.md#what-groups-shuffles-and-se-cost).

![Milliseconds against multiply-adds]({picture})

"""
_PEERS = """\

## The peers
Ours and others' networks with their published accuracy, on one CPU: [peers.md](peers.md).
"""
_CURVES = """\

## Training curves
How the runs compare: [reproduce.md](reproduce.md).
"""
_ADDING = """\

## Adding a result
```
tools/test.py CONFIG CHECKPOINT --data DIR --json docs/reports/NAME.json
python -m docs.build --curve work_dirs/RUN docs/reports/curves/NAME.json --name 'name in the legend'   # if trained
```
Then add an entry to results.json: `name`, `config`, `data` (COCO val2017 for table 4), `status` (converted, retrained
or smoke), `report` (and `curve`), paths relative to docs/; optionally `paper` (the table's metrics in percent) with its
`source`, and a `note`; then run `make docs`. Table 4's latency is that of `tools/benchmark_cpu.py` on its four configs
with `--json docs/reports/table4.json`, that of the families the same on classifiers with
`--json docs/reports/families_224.json`.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Writes ``results.md``, the package's ``models.md`` and the picture, or extracts one curve.

    Args:
        argv: Arguments without the program's name; None takes those of the process.

    Returns:
        0, when all is written.

    Raises:
        UserError: An entry, a report or a curve is missing or wrong; nothing is written then.
    """
    args = _parse(argv)
    if args.curve:
        run, target = args.curve
        _write(Path(target), _dumps(extract_curve(run, args.name, args.source, args.status)))
        return 0
    docs = Path(args.docs)
    text, pictures = make_page(docs), _pictures(docs)
    _write(docs / 'results.md', text)
    if docs.resolve() == _DOCS:
        _write(docs / 'models.md', counts_page(docs.parent / 'configs' / 'classification'))
    peers = _peers(docs)
    if peers:
        _write(docs / 'peers.md', peers_page(peers))
        for path in draw_peers(peers, docs):
            print(f'written {path}')
    families = _families(docs)
    if families:
        draw_families(families.records, docs / _FAMILIES_PICTURE)
        print(f'written {docs / _FAMILIES_PICTURE}')
    for path in draw_answers(docs):
        print(f'written {path}')
    for picture, curves in pictures.items():
        draw_curves(curves, docs / picture)
        print(f'written {docs / picture}')
    return 0


def make_page(docs: Path) -> str:
    """Makes the text of ``results.md``.

    Args:
        docs: Folder with ``results.json`` and ``reports/``; configs are looked for beside it.

    Returns:
        Markdown.

    Raises:
        UserError: An entry, a report or a curve is missing or wrong.
    """
    entries = _read_json(docs / 'results.json')
    if not isinstance(entries, list):
        raise UserError(f'{docs / "results.json"} is not a list of results')
    results = [_complete(entry, docs) for entry in entries]
    latency = docs / 'reports' / 'table4.json'
    lines = [_INTRO.rstrip('\n'), *answer_lines(docs), *results_table(results), _TABLE_4,
             *table_4(results, _measured(latency))]
    families = _families(docs)
    if families:
        lines += [_FAMILIES.format(picture=_FAMILIES_PICTURE).rstrip('\n'), '',
                  *markdown(families_table(families.records)), '',
                  f'On {machine_of(families)}.', *busy_note(families.records)]
    if _peers(docs):
        lines.append(_PEERS.rstrip('\n'))
    pictures = _pictures(docs)
    if pictures:
        lines.append(_CURVES.rstrip('\n'))
        lines += [f'\n![Training on {data_of(curves[0]["config"])}]({picture})' for picture, curves in pictures.items()]
    return '\n'.join([*lines, _ADDING])


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='python -m docs.build', description='Writes docs/results.md from '
                                     'results.json and the reports it names, docs/pictures/DATA_curves.png from '
                                     'docs/reports/curves/*.json, docs/peers.md and docs/models.md.')
    parser.add_argument('--docs', default=str(_DOCS), metavar='DIR', help="another folder than this package's docs")
    parser.add_argument('--curve', nargs=2, metavar=('RUN_DIR', 'OUT.json'),
                        help='instead: write the curve of a training run')
    parser.add_argument('--name', help='what the legend calls the curve')
    parser.add_argument('--source', help="where the curve's numbers are from [the run's config]")
    parser.add_argument('--status', choices=CURVE_STATUSES, default='retrained', help='of the curve [retrained]')
    args = parser.parse_args(argv)
    if args.curve and not args.name:
        parser.error('--curve needs --name, what the legend calls the curve')
    return args


def _complete(entry: Any, docs: Path) -> dict:
    listing = docs / 'results.json'
    name = entry.get('name', '?') if isinstance(entry, dict) else entry
    missing = [key for key in _REQUIRED if not isinstance(entry, dict) or key not in entry]
    if missing:
        raise UserError(f'{listing}: the result {name!r} lacks {", ".join(missing)}')
    unknown = sorted(set(entry) - {*_REQUIRED, *_OPTIONAL})
    if unknown:
        raise UserError(f'{listing}: the result {name!r} has the unknown {", ".join(unknown)}; optional are '
                        f'{", ".join(_OPTIONAL)}')
    if entry['status'] not in STATUSES:
        raise UserError(f"{listing}: the result {name!r} has the status {entry['status']!r}; give one of "
                        f'{", ".join(STATUSES)}')
    if not (docs.parent / entry['config']).is_file():
        raise UserError(f"{listing}: the result {name!r} names {entry['config']}, which does not exist")
    if 'curve' in entry:
        read_curve(docs / entry['curve'])
    return {**entry, 'report': _read_report(docs / entry['report'], entry)}


def _read_report(path: Path, entry: dict) -> dict:
    report = _read_json(path)
    if not isinstance(report, dict) or task_of_report(report) is None:
        ways = '; or '.join(', '.join(task.metrics) for task in TASKS.values())
        raise UserError(f'{path} is no report with {ways}: write it with tools/test.py --json')
    if Path(report['config']).stem != Path(entry['config']).stem:
        raise UserError(f"{path} is of {report['config']}, but the result {entry['name']!r} of {entry['config']}")
    return report


def _read_json(path: Path) -> Any:
    if not path.is_file():
        raise UserError(f'no report {path}: write it with tools/test.py --json {path}, or correct results.json')
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f'{path} is not JSON: {error}') from error


def _families(docs: Path) -> Measurements | None:
    return _measured(docs / 'reports' / 'families_224.json')


def _peers(docs: Path) -> list[Measurements]:
    return [one for path in sorted((docs / 'reports').glob('peers_*.json')) if (one := _measured(path))]


def _measured(path: Path) -> Measurements | None:
    return Measurements.from_json(_read_json(path), str(path)) if path.is_file() else None


def _pictures(docs: Path) -> dict[str, list[dict]]:
    # One for each data set, which the name of a curve's config ends with.
    pictures: dict[str, list[dict]] = {}
    for path in sorted((docs / 'reports' / 'curves').glob('*.json')):
        curve = read_curve(path)
        data = data_of(curve['config'])
        if data == DATA_NOT_RECORDED:
            raise UserError(f"{path}: the name of the config {curve['config']!r} does not end with a data set")
        pictures.setdefault(f"pictures/{data.lower().replace('-', '')}_curves.png", []).append(curve)
    return pictures


def _dumps(curve: dict) -> str:
    # A point a line: readable, and a diff shows which evaluation changed.
    points = ',\n'.join(f'  {json.dumps(point)}' for point in curve['points'])
    head = ''.join(f' {json.dumps(key)}: {json.dumps(value)},\n' for key, value in curve.items() if key != 'points')
    return f'{{\n{head} "points": [\n{points}\n ]\n}}\n'


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise UserError(f'{path} cannot be written: {error.strerror}; give a place that can') from error
    print(f'written {path}')


if __name__ == '__main__':
    raise SystemExit(run_tool(main))
