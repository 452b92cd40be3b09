"""Exports a trained model to files and verifies them."""
import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from lcvision.config import ConfigOptions
from lcvision.tasks import TASKS
from lcvision.text import table

if TYPE_CHECKING:
    from lcvision.exporting.job import ExportResult


def main(argv: list[str] | None = None) -> int:
    """Exports; returns the exit code, 1 when a file did not pass."""
    args = parse(argv)
    # Here, since without onnx it is an error for the user to read.
    from lcvision.exporting.export import export
    result = export(**vars(args), progress=lambda text: print(f'[{text}]', file=sys.stderr, flush=True))
    print('\n'.join(report(result)))
    for failure in result.failures:
        print(f'error: {failure}; it was not delivered', file=sys.stderr)
    return int(bool(result.failures))


def parse(argv: list[str] | None) -> Namespace:
    """Parses the command line."""
    parser = ArgumentParser(description='Exports a trained model to files that were verified against it.')
    parser.add_argument('config', metavar='CONFIG', help='the config that was trained')
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='.pth or .safetensors')
    parser.add_argument('--out', metavar='DIR', required=True, help='folder of the files')
    parser.add_argument('--to', metavar='NAME,...', default='onnx,openvino,pt2', help='[onnx,openvino,pt2]')
    parser.add_argument('--graph', metavar='NAME', default='end2end',
                        help='net: raw maps; boxes: all boxes and scores, static, for NPUs; end2end: results [end2end]')
    parser.add_argument('--input', metavar='NAME', default='float', help='float: normalised (N, 3, H, W); uint8: '
                        'pixels (N, H, W, 3) [float]')
    parser.add_argument('--dynamic', metavar='NAME', help='batch or size may differ from image to image [neither]')
    parser.add_argument('--precision', metavar='NAME,...', default='fp32', help='fp32, bf16, int8, mixed '
                        '[fp32]; mixed takes the quickest for each group of layers; it and int8 need --data and are '
                        'written with the others to compare')
    parser.add_argument('--max-drop', metavar='POINTS', type=float, default=.5,
                        help='points of the metric that int8 and mixed may lose [0.5]')
    parser.add_argument('--qat', action='store_true', help='train the weights for int8, with the model as their '
                        'teacher, if more is lost')
    parser.add_argument('--data', metavar='SOURCE', help="'sample' or a folder: its validation images are compared and "
                        'evaluated [parts of a photograph are compared]')
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOptions, metavar='K=V',
                        help='entries of the config to override')
    return parser.parse_args(argv)


def report(result: 'ExportResult') -> list[str]:
    """The files as a table: size, differences, metric, milliseconds."""
    title = TASKS[result.task].title
    rows = [['file', 'MB', 'maps', 'results', 'compared', title, 'ms', '']]
    rows.append(['eager', '', '', '', '', _number(result.metric, result.task), _ms(result.eager_ms), ''])
    for one in result.files:
        found = one.verdict
        mark = 'FAILED' if not one.passed else 'best' if one is result.best else ''
        rows.append([one.path.name, f'{one.size / 1e6:.1f}', f'{found.maps:.1e}', f'{found.results:.1e}',
                     str(found.compared), _number(one.metric, result.task), _ms(one.ms), mark])
    lines = table(rows, left=(0, 7))
    best = result.best
    if best and best.ms and result.eager_ms:
        lines.append(f'best: {best.path}, {result.eager_ms / best.ms:.1f} times as quick as eager')
    if result.groups:
        numbers = [*dict.fromkeys(number for group in result.groups for number in group.ms)]
        rows = [[group.name, str(group.layers), *(_ms(group.ms.get(number)) for number in numbers), group.chosen]
                for group in result.groups]
        head = ['ms if this alone is in', 'layers', *numbers, 'chosen']
        lines += ['', *table([head, *rows], left=(0, len(head) - 1)), '']
    return [*lines, *result.notes]


def _number(value: float | None, task: str) -> str:
    return '-' if value is None else f'{value * 100 / TASKS[task].whole:.2f}'


def _ms(value: float | None) -> str:
    return '-' if value is None else f'{value:.2f}'
