import json
import re
from pathlib import Path

import pytest

from docs.build.__main__ import main, make_page
from docs.build.result_tables import STATUSES
from lcvision.cli import run_tool
from lcvision.errors import UserError
from lcvision.tasks import DETECTION

ROOT = Path(__file__).parents[2]
DOCS = ROOT / 'docs'
CONFIG = 'configs/detection/picodet_pplcnet_0_5x.py'
PICTURE = 'pictures/bccd_curves.png'
TABLE_4 = ('mobilenetv3_large_0_35x', 'pplcnet_0_5x', 'mobilenetv3_large_0_75x', 'pplcnet_1x')


def record(config=CONFIG, median=12.34, threads=2, noisy=False):
    return dict(config=config, task='detection', engine='eager', precision='fp32', threads=threads,
                input=[416, 416], params=1_234_567, macs=321_000_000, noisy=noisy,
                latency_ms=dict(median=median, ci95=[median - 0.1, median + 0.1]))


def entry(**change):
    base = dict(name='Light one', config=CONFIG, data='BCCD val', status='retrained', report='reports/light.json')
    return {key: value for key, value in {**base, **change}.items() if value is not None}


@pytest.fixture
def docs(tmp_path):
    """A folder of docs with one report; call it with the entries to list."""
    folder = tmp_path / 'docs'
    (folder / 'reports' / 'curves').mkdir(parents=True)
    (tmp_path / CONFIG).parent.mkdir(parents=True)
    (tmp_path / CONFIG).touch()
    metrics = {'coco/bbox_mAP': 0.324, 'coco/bbox_mAP_50': 0.616}
    write(folder / 'reports' / 'light.json', dict(config=CONFIG, checkpoint='x.pth', metrics=metrics,
                                                  latency=[record(noisy=True)]))

    def listed(*entries):
        write(folder / 'results.json', list(entries))
        return folder

    return listed


def write(path, content):
    path.write_text(json.dumps(content))


def cells(page, beginning):
    line = next(line for line in page.splitlines() if line.startswith(f'| [{beginning}'))
    return [cell.strip() for cell in re.split(r'(?<!\\)\|', line)[1:-1]]


def test_a_row_holds_ours_the_reference_and_the_cost(docs):
    paper = dict(paper=dict(mAP=30.026, AP50=54.669), source='a table', note='one | seed')
    row = cells(make_page(docs(entry(**paper))), 'Light one')
    assert row == [f'[Light one](../{CONFIG})', 'BCCD val', 'retrained', '32.4', '61.6', '30.0 / 54.7', '1.23M', '321M',
                   '12.3\\* (416x416, 2 thr, eager)', 'one \\| seed; reference: a table']


def test_what_is_not_known_is_a_dash(docs):
    folder = docs(entry(paper=dict(mAP=20.3)))
    report = json.loads((folder / 'reports/light.json').read_text())
    write(folder / 'reports/light.json', {**report, 'latency': []})
    page = make_page(folder)
    assert cells(page, 'Light one')[5:9] == ['20.3 / -', '-', '-', '-']
    assert 'busy' not in page


@pytest.mark.parametrize('status', STATUSES)
def test_the_legend_explains_the_statuses_in_use(docs, status):
    page = make_page(docs(entry(status=status)))
    assert STATUSES[status] in page
    assert not any(STATUSES[other] in page for other in STATUSES if other != status)


@pytest.mark.parametrize('change, reason', [
    (dict(status='trained'), "'trained'; give one of converted, retrained, smoke"),
    (dict(status=None), 'lacks status'),
    (dict(papers={}), 'unknown papers'),
    (dict(config='configs/detection/none.py'), 'none.py, which does not exist'),
    (dict(report='reports/none.json'), 'none.json'),
    (dict(curve='reports/curves/none.json'), 'none.json'),
])
def test_a_wrong_entry_is_refused(docs, change, reason):
    with pytest.raises(UserError, match=re.escape(reason)):
        make_page(docs(entry(**change)))


def test_each_task_has_a_table_with_its_own_metrics(docs):
    folder = docs(entry(), entry(name='Street', report='reports/street.json'),
                  entry(name='Ten', report='reports/ten.json', paper={'top-1': 91.2}, source='a paper'))
    for name, metrics in (('street', dict(mIoU=49.28, aAcc=82.1, mAcc=60.0)),
                          ('ten', {'accuracy/top1': 80.04, 'accuracy/top5': 99.0})):
        write(folder / f'reports/{name}.json', dict(config=CONFIG, metrics=metrics, latency=[]))
    page = make_page(folder)
    assert [line for line in page.splitlines() if line.startswith('## ')][:3] == [
        '## Detection', '## Segmentation', '## Classification']
    assert cells(page, 'Light one')[3:6] == ['32.4', '61.6', '-']
    assert cells(page, 'Street')[3:6] == ['49.3', '82.1', '-']
    assert cells(page, 'Ten')[3:6] == ['80.0', '99.0', '91.2 / -']


def test_a_report_of_another_config_or_without_a_known_metric_is_refused(docs):
    folder = docs(entry())
    report = json.loads((folder / 'reports/light.json').read_text())
    write(folder / 'reports/light.json', {**report, 'config': 'configs/detection/picodet_pplcnet_1x.py'})
    with pytest.raises(UserError, match='picodet_pplcnet_1x'):
        make_page(folder)
    write(folder / 'reports/light.json', {**report, 'metrics': {'accuracy': 70.0}})
    with pytest.raises(UserError, match='no report with coco/bbox_mAP, coco/bbox_mAP_50; or mIoU'):
        make_page(folder)


def test_nothing_is_written_when_something_is_wrong(docs):
    folder = docs(entry(report='reports/none.json'))
    with pytest.raises(UserError, match=r'none\.json'):
        main(['--docs', str(folder)])
    assert not (folder / 'results.md').exists() and not (folder / PICTURE).exists()


def test_table_4_prints_the_papers_numbers_and_owns_up(docs):
    page = make_page(docs(entry()))
    for title, numbers in (('MobileNetV3-large 0.35x', ['19.2', '8.1']), ('PP-LCNet 0.5x', ['20.3', '6.0']),
                           ('MobileNetV3-large 0.75x', ['25.8', '11.1']), ('PP-LCNet 1x', ['26.9', '7.9'])):
        row = cells(page, title)
        assert [row[1], row[3]] == numbers and row[2] == 'not trained on COCO here'
    assert 'was not measured here' in page


def test_table_4_takes_our_map_from_a_full_training_on_coco_alone(docs):
    for change, expected in ((dict(data='COCO val2017'), '32.4'), (dict(data='COCO mini'), 'not trained on COCO here'),
                             (dict(data='COCO val2017', status='smoke'), 'not trained on COCO here')):
        assert cells(make_page(docs(entry(**change))), 'PP-LCNet 0.5x')[2] == expected


def test_table_4_takes_latency_and_ratios_from_its_report(docs):
    folder = docs(entry())
    records = [record(f'configs/detection/picodet_{name}.py', median, threads, noisy=threads == 2)
               for threads in (1, 2) for name, median in zip(TABLE_4, (40.0, 30.0, 60.0, 42.0), strict=True)]
    environment = dict(cpu='Some CPU', versions=dict(torch='2.0'))
    write(folder / 'reports/table4.json', dict(schema=1, environment=environment, results=records))
    page = make_page(folder)
    assert cells(page, 'PP-LCNet 0.5x')[4:] == ['30.0', '30.0\\*']
    assert 'Some CPU' in page and re.search(r'1 thr: 0\.75 .*paper 0\.74', page) and '0.70' in page


def test_curve_of_a_run_becomes_a_file_and_then_the_picture(docs, tmp_path, capsys):
    folder = docs(entry())
    assert PICTURE not in make_page(folder)
    log = tmp_path / 'run' / '20260101_000000' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    (tmp_path / 'run/mine_bccd.py').touch()
    log.write_text('{"loss": 1.0, "time": 2.0, "epoch": 10, "iter": 180, "step": 180}\n'
                   '{"coco/bbox_mAP": 0.055, "coco/bbox_mAP_50": 0.199, "step": 10}\n')
    target = folder / 'reports/curves/mine.json'
    assert main(['--curve', str(tmp_path / 'run'), str(target), '--name', 'mine']) == 0
    written = json.loads(target.read_text())
    assert written['points'] == [{'epoch': 10, 'iter': 180, 'coco/bbox_mAP': 0.055, 'coco/bbox_mAP_50': 0.199,
                                  'minutes': 6.}]
    assert written['name'] == 'mine'
    assert not (folder / 'results.md').exists()
    assert main(['--docs', str(folder)]) == 0
    assert PICTURE in (folder / 'results.md').read_text() and (folder / PICTURE).stat().st_size > 10_000
    assert str(folder / 'results.md') in capsys.readouterr().out


def test_curve_needs_a_name(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(['--curve', str(tmp_path), str(tmp_path / 'x.json')])
    assert '--name' in capsys.readouterr().err


def test_tool_names_the_missing_report_in_one_sentence(docs, capsys):
    folder = docs(entry(report='reports/none.json'))
    assert run_tool(lambda: main(['--docs', str(folder)])) == 2
    out, err = capsys.readouterr()
    assert out == '' and err.startswith('error: no report ') and 'none.json' in err and err.count('\n') == 1


def test_committed_results_are_those_of_their_reports():
    assert (DOCS / 'results.md').read_text() == make_page(DOCS), 'run `make docs` and commit what it writes'
    assert (DOCS / PICTURE).is_file()


def test_committed_reports_name_no_place_on_a_machine():
    for path in DOCS.rglob('*.json'):
        assert not re.search(r'"(/|[A-Z]:\\|~)', path.read_text()), f'{path} names an absolute path'


def test_committed_pages_print_the_curves_of_their_runs():
    page = (DOCS / 'reproduce.md').read_text()
    for name in ('picodet_pplcnet_0_5x_bccd_reference', 'picodet_pplcnet_0_5x_bccd'):
        for point in json.loads((DOCS / 'reports/curves' / f'{name}.json').read_text())['points']:
            for metric in DETECTION.metrics:
                assert f'{point[metric]:.3f}'.removeprefix('0') in page, f'{name}: {point} is not in reproduce.md'


def test_links_of_the_pages_lead_somewhere():
    for page in ('results', 'weights', 'reproduce', 'measure'):
        for target in re.findall(r'\]\(([^)#]+)', (DOCS / f'{page}.md').read_text()):
            assert (DOCS / target).exists(), f'{page}.md links to {target}'


def test_weights_page_names_only_configs_that_exist():
    names = set(re.findall(r'`(picodet_(?:v2|legacy|pplcnet|mobilenetv3)_\w+)[ `]', (DOCS / 'weights.md').read_text()))
    assert len(names) > 12
    for name in names:
        assert (ROOT / f'configs/detection/{name}.py').is_file(), name
