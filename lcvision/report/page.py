"""One page with everything, which needs nothing beside itself."""
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

from lcvision.files import write_atomically
from lcvision.papers.accuracy import PAPER, PAPER_DATA, PAPER_MACHINE
from lcvision.report.assemble import Report
from lcvision.report.names import MACHINE_NOT_RECORDED

_ASSETS = files('lcvision.report') / 'assets'
_SCRIPTS = ('geometry.js', 'tables.js', 'chart.js', 'app.js')


def write_page(report: Report, path: str | Path) -> None:
    """Writes the page.

    Args:
        report: What it shows.
        path: An .html file; its folder is made.

    Raises:
        OSError: It cannot be written.
    """
    write_atomically(path, make_html(report).encode())


def make_html(report: Report) -> str:
    """Makes the text of the page: points as JSON, styles and scripts, all inside.

    Args:
        report: What it shows.
    """
    content = {**asdict(report), 'summary': _summary(report),
               'paper': dict(name=PAPER, machine=PAPER_MACHINE, data=PAPER_DATA)}
    # An end tag inside a text would end the script that holds it.
    data = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(',', ':')).replace('<', '\\u003c')
    parts = {'style': _read('report.css'), 'script': ''.join(map(_read, _SCRIPTS)), 'data': data}
    html = _read('template.html')
    for name, text in parts.items():
        before, after = html.split(f'{{{{{name}}}}}')
        html = before + text.rstrip('\n') + after
    return html


def _summary(report: Report) -> str:
    points = [point for task in report.tasks for point in (*task.points, *task.latency_only)]
    found = dict.fromkeys(point['machine'] for point in points)
    machines = [name for name in found if name != MACHINE_NOT_RECORDED]
    machines += ['a machine that was not recorded'] if MACHINE_NOT_RECORDED in found else []
    models = len({(point['task'], point['model']) for point in points})
    return (f'{_count(models, "model")}, {_count(len(points), "measurement")}, on {_and(machines)}. '
            'Up and to the left is better.')


def _count(number: int, word: str) -> str:
    return f'{number} {word}' + ('' if number == 1 else 's')


def _and(words: Sequence[str]) -> str:
    return ' and '.join(part for part in (', '.join(words[:-1]), words[-1]) if part)


def _read(name: str) -> str:
    return (_ASSETS / name).read_text(encoding='utf-8')
