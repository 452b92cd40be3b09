"""One self-contained page with everything, to filter and to sort."""
import re
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from lcvision.files import write_atomically
from lcvision.latency.record import SCOPES
from lcvision.latency.table import format_count, format_ms
from lcvision.papers import PAPER
from lcvision.report.assemble import VIEW, Report, TaskReport
from lcvision.report.names import MACHINE_NOT_RECORDED
from lcvision.report.style import BEATEN, FRONT, GRID, INK, PAPER_COLOUR, PAPER_SOFT, SOFT, marker_of

# What matplotlib's markers are called here.
_SYMBOLS = {'o': 'circle', 's': 'square', 'D': 'diamond', '^': 'triangle-up', 'v': 'triangle-down', 'h': 'hexagon2'}
_FILTERS = (*VIEW, 'engine', 'precision')
# Without the button that sends the points to a server.
_CONFIG = dict(responsive=True, displaylogo=False, showSendToCloud=False,
               modeBarButtonsToRemove=['select2d', 'lasso2d'])

# Heading of a column to what it sorts by and what it says.
_Cells = dict[str, tuple[Any, str]]
# Plotly reads some tags and knows few entities, of which quotes are none.
_text = partial(escape, quote=False)


def write_page(report: Report, path: str | Path) -> None:
    """Writes the page to an .html file, whose folder is made; needs Plotly."""
    write_atomically(path, make_html(report).encode())


def make_html(report: Report) -> str:
    """The text of the page, with Plotly's script inside."""
    from plotly.offline import get_plotlyjs
    parts = dict(plotly=get_plotlyjs(), summary=escape(_summary(report)), foot=_foot(report),
                 links=''.join(f'<a href="#{task.task}">{task.task.capitalize()}</a>' for task in report.tasks),
                 sections=''.join(map(_section, report.tasks)))
    page = (files('lcvision.report') / 'page.html').read_text(encoding='utf-8')
    return re.sub(r'{{(\w+)}}', lambda place: parts[place[1]], page)


def page_points(task: TaskReport) -> list[dict]:
    """Points as the page's script has them: with ``symbol``, and as escaped text ``label``, ``row`` and ``hover``.

    Points without accuracy come last and have None there.
    """
    several = [key for key in ('engine_name', 'precision') if len({point[key] for point in task.points}) > 1]
    precisions = len({point['precision'] for point in task.latency_only}) > 1
    points = []
    for point in ({'accuracy': None, 'data': None, **point} for point in (*task.points, *task.latency_only)):
        lines = [f'{heading}: {text}' for heading, (_, text) in _cells(point, task.metric).items() if text]
        label = ', '.join([point['label'], *(point[key] for key in several)]) + ' *' * point['noisy']
        row = point['name'] + f", {point['precision']}" * precisions
        points.append({**point, 'symbol': _symbol(point['engine']) + '-open' * point['noisy'], 'label': _text(label),
                       'row': _text(row), 'hover': '<br>'.join(map(_text, lines))})
    return sorted(points, key=lambda point: (point['accuracy'] is None, point['median']))


def _symbol(engine: str) -> str:
    return _SYMBOLS.get(marker_of(engine), 'cross')


def _cells(point: dict, metric: str) -> _Cells:
    def to(high: str) -> Callable[[float], str]:
        return lambda low: f"{format_ms(low)} to {format_ms(point[high]) if point[high] else '?'}"

    yardsticks = (point['by_yardstick'] or {}).get('median')
    why = '; '.join(point['why']) or 'marked noisy'
    cells: dict[str, tuple[Any, Callable]] = {
        'Model': (point['name'], str), f'{metric}, %': (point['accuracy'], '{:.1f}'.format),
        'Trainings': (point.get('spread'), '{0[0]:.1f} to {0[1]:.1f}'.format),
        'ms': (point['median'], lambda ms: format_ms(ms) + ' *' * point['noisy']),
        'p10 to p90': (point['p10'], to('p90')), '95 % interval': (point['low'], to('high')),
        'Samples': (point['samples'], str), 'Yardsticks': (yardsticks, '{:.3g}'.format),
        'Engine': (point['engine_name'], str), 'Precision': (point['precision'], str),
        'Threads': (point['threads'], str), 'Scope': (point['scope'], SCOPES.get),
        'Input': (point['input'], lambda size: ' x '.join(map(str, size))), 'Params': (point['params'], format_count),
        'MACs': (point['macs'], format_count), 'First ms': (point['first'], format_ms),
        'Compile s': (point['compile'], '{:.1f}'.format), 'Source': (point['source'], str),
        'Noisy because': (why if point['noisy'] else None, str)}
    return {heading: (value, '' if value is None else show(value)) for heading, (value, show) in cells.items()}


def _section(task: TaskReport) -> str:
    from plotly.io import to_html
    points = page_points(task)
    plots = [to_html(figure, _CONFIG, full_html=False, include_plotlyjs=False, div_id=f'{task.task}_{name}')
             for name, figure in (('plot', _figure(task, points)), ('strip', _strip()))]
    columns = {'model': 'Model', 'accuracy': f'{task.metric}, %', 'ms': 'ms, on its machine', 'table': 'Table',
               'config': 'Our config'}
    paper = [{title: (row[key], str(row[key] or '')) for key, title in columns.items()} for row in task.paper]
    return (f'<section id="{task.task}"><h2>{task.task.capitalize()}: {task.metric} against milliseconds</h2>'
            f'{_form(task, points)}{"".join(plots)}<h3>Measurements; the front is blue</h3>'
            f'{_table([_cells(point, task.metric) for point in points], "data-point")}'
            f'<details><summary>What the paper prints</summary>{_table(paper)}</details></section>')


def _form(task: TaskReport, points: Sequence[dict]) -> str:
    fields = ''
    for key in _FILTERS:
        names = {point[key]: _name(point, key) for point in points if point[key] is not None}
        kind = 'radio' if key in VIEW else 'checkbox'
        labels = (f'<label><input type="{kind}" name="{key}" value="{escape(str(value))}"'
                  f'{" checked" * (task.view.get(key, value) == value)}>{escape(names[value])}</label>'
                  for value in sorted(names))
        if names:
            fields += f'<fieldset name="{key}">{key.capitalize()} {"".join(labels)}</fieldset>'
    return (f'<form>{fields}<label>Budget, ms <input type="number" name="budget" min="0" step="any" '
            'placeholder="none"></label><output></output></form>')


def _name(point: dict, key: str) -> str:
    return point['engine_name'] if key == 'engine' else SCOPES[point[key]] if key == 'scope' else str(point[key])


def _figure(task: TaskReport, points: Sequence[dict]) -> Any:
    """Our points, which the script fills in, next to those of the paper."""
    from plotly.subplots import make_subplots
    teacher = '; open: trained with a teacher' * any(row['distilled'] for row in task.paper)
    figure = make_subplots(1, 2, column_widths=[0.62, 0.38], horizontal_spacing=0.09, subplot_titles=(
        f'<b style="color:{FRONT}">Measured here</b>',
        f'<b style="color:{PAPER_COLOUR}">{PAPER}, on another machine</b>'
        f'<br><sub>{task.paper_source}{teacher}</sub>'))
    figure.add_scatter(name='Pareto front', **_marks(FRONT, 13), mode='lines+markers+text', meta='top',
                       line=dict(shape='hv', width=2), textfont=dict(color=FRONT, weight='bold'))
    figure.add_scatter(name='beaten', **_marks(BEATEN, 10), mode='markers+text', meta='bottom', textfont_color=SOFT)
    engines = {point['engine_name']: _symbol(point['engine']) for point in points}
    for name, symbol in {**engines, '* noisy': 'circle-open'}.items():
        figure.add_scatter(name=_text(name), x=[None], y=[None], mode='markers',
                           marker=dict(symbol=symbol, color=INK, size=10))
    rows = task.paper
    figure.add_scatter(
        x=[row['ms'] for row in rows], y=[row['accuracy'] for row in rows], row=1, col=2, showlegend=False,
        text=[row['model'] if row['front'] else '' for row in rows], textposition='top center',
        mode='markers+text', hoverinfo='text',
        hovertext=[f"{row['model']}<br>{task.metric} {row['accuracy']} %<br>{row['ms']} ms on the paper's machine<br>"
                   f"table {row['table']}" for row in rows], cliponaxis=False, textfont_color=PAPER_COLOUR,
        marker=dict(size=10, symbol=['x-open' if row['distilled'] else 'x' for row in rows],
                    color=[PAPER_COLOUR if row['front'] or row['distilled'] else PAPER_SOFT for row in rows]))
    figure.update_yaxes(title=dict(text=f'{task.metric} (%)', font_size=13))
    return _styled(figure, meta=points, height=560)


def _strip() -> Any:
    """Milliseconds of models without accuracy, which the script fills in, a row each."""
    from plotly.graph_objects import Figure
    figure = Figure().add_scatter(**_marks(SOFT, 10), mode='markers', meta='top', showlegend=False)
    figure.update_yaxes(autorange='reversed', automargin=True, type='category')
    return _styled(figure, title=dict(text='<b>Latency only: accuracy was not measured</b>', font_size=16, x=0))


def _marks(colour: str, size: int) -> dict:
    return dict(marker=dict(color=colour, size=size, line_width=2), hoverinfo='text', cliponaxis=False,
                error_x=dict(type='data', symmetric=False, color=colour, thickness=1.5, width=3))


def _styled(figure: Any, **layout: Any) -> Any:
    title = dict(text='ms for one image, logarithmic; bars from p10 to p90', font_size=13)
    figure.update_xaxes(type='log', title=title, tickformat='~g', nticks=5, gridcolor=GRID)
    figure.update_yaxes(gridcolor=GRID)
    return figure.update_layout(
        template='plotly_white', font=dict(color=INK, size=13), margin=dict(l=60, r=40, t=76, b=60),
        hoverlabel=dict(bgcolor='white', align='left'),
        legend=dict(orientation='h', y=-0.16, itemclick=False, itemdoubleclick=False), **layout)


def _table(rows: Sequence[_Cells], numbered: str = '') -> str:
    """A table of which each cell has its place in the order of its column; a column without a text is left out."""
    heads = [head for head in (rows[0] if rows else ()) if any(row[head][1] for row in rows)]
    order = {head: sorted(row[head][0] for row in rows if row[head][0] is not None) for head in heads}
    body = ''
    for i, row in enumerate(rows):
        cells = ((order[head].index(row[head][0]) if row[head][0] is not None else len(rows), row[head][1])
                 for head in heads)
        body += f'<tr {numbered}="{i}">' if numbered else '<tr>'
        body += ''.join(f'<td data-rank="{rank}">{escape(text)}</td>' for rank, text in cells) + '</tr>'
    return (f'<div class="scroll"><table><thead><tr>{"".join(f"<th>{head}</th>" for head in heads)}</tr></thead>'
            f'<tbody>{body}</tbody></table></div>')


def _foot(report: Report) -> str:
    text = ''
    for machine in report.inputs.machines:
        entries = ''.join(f'<dt>{escape(key.replace("_", " "))}</dt><dd>{escape(_plain(value))}</dd>'
                          for key, value in machine.items() if key != 'name')
        text += f'<h2>Measured on {escape(machine["name"])}</h2><dl>{entries}</dl>'
    text += f'<h2>Read</h2><p>{escape(", ".join(report.inputs.sources))}</p>'
    left_out = ''.join(f'<p>{escape(remark)}</p>' for remark in report.inputs.remarks)
    return text + f'<h2>Left out</h2>{left_out}' * bool(left_out)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ', '.join(f'{key} {_plain(part)}' for key, part in value.items())
    return ', '.join(map(str, value)) if isinstance(value, list) else '-' if value is None else str(value)


def _summary(report: Report) -> str:
    points = [point for task in report.tasks for point in (*task.points, *task.latency_only)]
    machines = sorted({point['machine'] for point in points}, key=lambda name: (name == MACHINE_NOT_RECORDED, name))
    models = len({(point['task'], point['model']) for point in points})
    return f'Models: {models}, measurements: {len(points)}, on: {", ".join(machines)}. Up and to the left is better.'
