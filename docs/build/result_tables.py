"""Results as tables of Markdown: ours beside the papers'."""
from collections.abc import Mapping, Sequence

from lcvision.latency.paper_comparison import format_ratios
from lcvision.latency.record import LatencyRecord, Measurements, read_records
from lcvision.latency.table import format_count, format_ms
from lcvision.papers import PAPER_DATA, PP_LCNET
from lcvision.tasks import DETECTION, TASKS, Task

STATUSES = {
    'converted': "the reference's weights, converted and evaluated here",
    'retrained': 'trained here to the end of its schedule',
    'smoke': 'trained here briefly to show that it runs; its accuracy means nothing',
}
_NOT_TRAINED = 'not trained on COCO here'


def results_table(results: Sequence[dict]) -> list[str]:
    """Lays out all results.

    Args:
        results: Entries of ``results.json``, each with its report read.

    Returns:
        Lines of Markdown, with a legend.
    """
    lines = []
    for task in TASKS.values():
        found = [result for result in results if task_of_report(result['report']) is task]
        if found:
            lines += [f'\n## {task.name.capitalize()}', *_task_table(task, found)]
    used = {result['status'] for result in results}
    words = [f'**{status}**: {meaning}.' for status, meaning in STATUSES.items() if status in used]
    lines += ['', ' '.join(['Accuracies in percent.', *words])]
    records = [record for result in results for record in _records(result)]
    if records:
        lines.append('ms: median of the network alone, batch 1; [how it is measured](measure.md).')
    return lines + busy_note(records)


def task_of_report(report: Mapping) -> Task | None:
    """The task all of whose metrics a report of ``tools/test.py`` has, None where it has none's."""
    return next((task for task in TASKS.values() if task.metrics.keys() <= report.get('metrics', {}).keys()), None)


def table_4(results: Sequence[dict], latency: Measurements | None) -> list[str]:
    """Lays out the PP-LCNet paper's comparison of detectors beside ours.

    Args:
        results: As for :func:`results_table`.
        latency: Of the four configs; None when they were not measured.

    Returns:
        Lines of Markdown.
    """
    records = latency.records if latency else []
    kinds = list(dict.fromkeys(_conditions(record) for record in records))
    rows = [['backbone of PicoDet', 'mAP, paper', 'mAP, ours', 'ms, paper', *(f'ms, ours ({kind})' for kind in kinds)]]
    for point in PP_LCNET.table('4'):
        config = f'configs/detection/{point.config}.py'
        ms = {_conditions(record): _ms(record) for record in records if record.name == point.config}
        rows.append([f'[{point.model}](../{config})', f'{point.accuracy:.1f}', _on_coco(results, config),
                     f'{point.ms:.1f}', *(ms.get(kind, '-') for kind in kinds)])
    lines = markdown(rows)
    if latency is None:
        return [*lines, '', 'Latency of the four was not measured here.']
    lines += ['', f'Ours on {machine_of(latency)}.', *busy_note(records)]
    ratios = format_ratios(records)
    return [*lines, '', '```', *ratios, '```'] if ratios else lines


def machine_of(benchmark: Measurements) -> str:
    """CPU and torch of a benchmark."""
    environment = benchmark.environment
    return f"{environment['cpu']}, torch {environment['versions']['torch']}"


def busy_note(records: Sequence[LatencyRecord]) -> list[str]:
    """The line that explains the mark of noisy records, where there are any."""
    return ['\\* measured on a busy machine.'] if any(record.noisy for record in records) else []


def _task_table(task: Task, results: Sequence[dict]) -> list[str]:
    titles = task.metrics.values()
    head = ['model', 'data', 'status', *titles, 'reference: ' + ' / '.join(titles), 'params', 'MACs', 'ms', 'note']
    return markdown([head, *(_row(result, task) for result in results)])


def _row(result: dict, task: Task) -> list[str]:
    report, paper = result['report'], result.get('paper', {})
    records = _records(result)
    counts = [(format_count(record.params), format_count(record.macs)) for record in records[:1]] or [('-', '-')]
    reference = ' / '.join(_percent(paper.get(title)) for title in task.metrics.values()) if paper else '-'
    note = '; '.join(text for text in (result.get('note', ''), _source(result)) if text)
    return [f"[{result['name']}](../{result['config']})", result['data'], result['status'],
            *(_percent(100 / task.whole * report['metrics'][name]) for name in task.metrics), reference, *counts[0],
            '<br>'.join(f'{_ms(record)} ({_conditions(record)})' for record in records) or '-', note]


def _source(result: dict) -> str:
    return f"reference: {result['source']}" if result.get('source') else ''


def _percent(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f}'


def _records(result: dict) -> list[LatencyRecord]:
    return read_records(result['report'].get('latency', []), result['config'])


def _ms(record: LatencyRecord) -> str:
    return format_ms(record.latency_ms.median) + ('\\*' if record.noisy else '')


def _conditions(record: LatencyRecord) -> str:
    precision = '' if record.precision == 'fp32' else f', {record.precision}'
    return f'{record.size}, {record.threads} thr, {record.engine}{precision}'


def _on_coco(results: Sequence[dict], config: str) -> str:
    ours = [r for r in results
            if (r['config'], r['data'], r['status']) == (config, PAPER_DATA[DETECTION.name], 'retrained')]
    return _percent(100 * ours[-1]['report']['metrics'][DETECTION.metric]) if ours else _NOT_TRAINED


def markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lays out rows, the first of which is the head, as lines of Markdown."""
    head, *body = [[cell.replace('|', '\\|') for cell in row] for row in rows]
    return [f'| {" | ".join(row)} |' for row in (head, ['---'] * len(head), *body)]
