"""Which model for how many milliseconds: trainings at equal settings beside latency."""
import json
from collections.abc import Sequence
from pathlib import Path

from docs.build.result_tables import markdown
from lcvision.latency.table import format_count, format_ms
from lcvision.report.assemble import TaskReport, in_view, make_report
from lcvision.report.names import engine_of
from lcvision.report.pareto import pareto_front
from lcvision.report.picture import draw_task
from lcvision.tasks import TASKS

_ASIDE = ('machine', 'threads')
_E2E = {'detection': ', which find more boxes and so take longer end to end'}


def read_answers(docs: Path) -> dict[str, TaskReport]:
    """Joins ``reports/answer/TASK.json``, which ``lcvision sweep`` wrote, with ``TASK_latency.json``, of each task that
    has both."""
    folder = docs / 'reports' / 'answer'
    pairs = {name: (folder / f'{name}.json', folder / f'{name}_latency.json') for name in TASKS}
    return {name: next(task for task in make_report(pair).tasks if task.task == name)
            for name, pair in pairs.items() if all(path.is_file() for path in pair)}


def draw_answers(docs: Path) -> list[Path]:
    """Draws a picture for each task that was answered, and returns their paths."""
    pictures = []
    for name, task in read_answers(docs).items():
        pictures.append(docs / _picture(name))
        draw_task(task, pictures[-1])
    return pictures


def answer_lines(docs: Path) -> list[str]:
    """Lays out pictures and sentences first, then the tables, as Markdown; nothing where nothing was answered."""
    answers = read_answers(docs)
    if not answers:
        return []
    lines = ['', '## Which one for how many milliseconds?']
    for name, task in answers.items():
        lines += ['', f'![{name.capitalize()}: accuracy against milliseconds]({_picture(name)})', '', _sentence(task)]
    for name, task in answers.items():
        plan = json.loads((docs / 'reports' / 'answer' / f'{name}.json').read_text())
        length = f"{plan['epochs']} epochs each" if plan.get('epochs') else 'iterations alike'
        lines += ['', f'### {name.capitalize()}: all at equal training', '', f"{task.view['data']}, {length}, "
                  f"{_seeds(plan)} seeds; {task.metric} in percent: mean (lowest to highest). ms: median, batch 1, "
                  f"weights as initialised{_E2E.get(name, '')}.",
                  '', *markdown(_table(task))]
    return lines


def _seeds(plan: dict) -> str:
    counts = {row['metrics'][plan['metric']]['n'] for row in plan['results']}
    return ' or '.join(map(str, sorted(counts)))


def _picture(task: str) -> str:
    return f'pictures/answer_{task}.png'


def _sentence(task: TaskReport) -> str:
    points = in_view(task.points, task.view)
    front: list[dict] = []
    for point in (points[place] for place in pareto_front(points)):
        # What lies within the seeds of the quicker one cannot be told from it.
        if not front or point['accuracy'] > max(front[-1]['spread'] or (front[-1]['accuracy'],)):
            front.append(point)
    steps = '; '.join(f"from {format_ms(point['median'])} ms **{_full_name(point, points)}**, "
                      f"{_accuracy(point)}" for point in front)
    where = ', '.join(f"{task.view[key]}{' thread' if key == 'threads' else ''}" for key in _ASIDE)
    return f"**{task.task.capitalize()}**, {task.metric} on {task.view['data']}, {where}: {steps}."


def _full_name(point: dict, points: Sequence[dict]) -> str:
    several = len({other['precision'] for other in points}) > 1
    return point['name'] + f" in {point['precision']}" * several


def _accuracy(point: dict) -> str:
    low, high = point['spread'] or (point['accuracy'],) * 2
    return f"{point['accuracy']:.1f}" + (f' ({low:.1f} to {high:.1f})' if low < high else '')


def _table(task: TaskReport) -> list[list[str]]:
    """A row for each model, the quickest first: accuracy and milliseconds of each precision."""
    mine = [point for point in task.points if all(point[key] == task.view[key] for key in _ASIDE)]
    kinds = sorted({(point['precision'], point['scope']) for point in mine}, key=lambda kind: (
        kind[0] != 'fp32', kind[0], kind[1] != 'net'))
    precisions = list(dict.fromkeys(precision for precision, _ in kinds))
    head = ['model', 'params', 'MACs', *(f'{task.metric}, {precision}' for precision in precisions),
            *(f'ms, {precision}, {scope}' for precision, scope in kinds), 'engine']
    models: dict[str, list[dict]] = {}
    for point in sorted(mine, key=lambda point: point['median']):
        models.setdefault(point['name'], []).append(point)
    rows = []
    for name, found in models.items():
        by_kind = {(point['precision'], point['scope']): point for point in found}
        by_precision = {point['precision']: point for point in found}
        rows.append([name, format_count(found[0]['params']), format_count(found[0]['macs']),
                     *(_accuracy(by_precision[key]) if key in by_precision else '-' for key in precisions),
                     *(format_ms(by_kind[kind]['median']) + '\\*' * by_kind[kind]['noisy'] if kind in by_kind else '-'
                       for kind in kinds), engine_of(found[0]['engine'])])
    return [head, *rows]
