"""Draws accuracy against latency from runs and reports."""
import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from lcvision.errors import UserError
from lcvision.files import writing
from lcvision.report import draw_task, make_report, write_page


def main(argv: Sequence[str] | None = None) -> int:
    """Writes a picture for each task and one page."""
    parser = argparse.ArgumentParser(description='Draws accuracy against milliseconds for each task: '
                                     'DIR/report_TASK.png, and DIR/report.html, which filters and sorts.')
    parser.add_argument('inputs', nargs='+', metavar='RUN_OR_JSON',
                        help='folders of runs, files of lcvision test --json and of lcvision benchmark --json, '
                        'search.json of lcvision search')
    parser.add_argument('--out', default='report', metavar='DIR', help='where to write [report]')
    args = parser.parse_args(argv)
    out = Path(args.out)
    if out.exists() and not out.is_dir():
        raise UserError(f'--out {out} is a file: give a folder, which is created if it is missing')
    report = make_report(args.inputs)
    with writing(f'--out {out}'):
        for task in report.tasks:
            path = out / f'report_{task.task}.png'
            print(f'{path}: {draw_task(task, path)}')
        if find_spec('plotly'):
            write_page(report, out / 'report.html')
            print(f'{out / "report.html"}: everything, to filter and to sort')
        else:
            report.inputs.remarks.append("report.html, which needs Plotly: pip install 'lcvision[report]'")
    for remark in report.inputs.remarks:
        print(f'left out: {remark}')
    return 0
