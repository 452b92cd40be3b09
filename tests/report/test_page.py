import json
import re
import shutil
import subprocess

import pytest
from report_inputs import benchmark, evaluation, record

from lcvision.report import make_report, write_page
from lcvision.report.page import make_html
from lcvision.report.pareto import pareto_front, staircase

OTHER = 'configs/detection/picodet_pplcnet_1x_bccd.py'
NAUGHTY = 'configs/detection/x</script><b>.py'


@pytest.fixture
def report(tmp_path):
    return make_report([
        evaluation(tmp_path, 0.3, record(median=8.), name='first'),
        evaluation(tmp_path, 0.35, record(config=OTHER, median=12.), config=OTHER, name='second'),
        benchmark(tmp_path, record(), record(engine='openvino', median=3.), record(threads=2), record(config=NAUGHTY),
                  record(config=OTHER, noisy=True, noisy_because=['the median drifted by 9%']))])


def embedded(html):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[1])


def test_page_holds_every_point_paper_and_machine(report):
    content = embedded(make_html(report))
    (task,) = content['tasks']
    assert len(task['points']) == 6
    assert {(point['name'], point['accuracy']) for point in task['points']} == {
        ('PicoDet PP-LCNet 0.5x', 30.), ('PicoDet PP-LCNet 1x', 35.)}
    assert [point['config'] for point in task['latency_only']] == [NAUGHTY]
    assert len(task['paper']) == 4
    assert content['machines'][0]['name'] == 'A CPU'
    assert content['sources'] == ['first.json', 'second.json', 'bench.json']
    assert content['summary'].startswith('3 models, 7 measurements, on ')


def test_page_takes_nothing_from_outside(report):
    html = make_html(report)
    assert not re.search(r'https?:|//[a-z]+\.|@import|url\(|<link|\bsrc=|fetch\(|XMLHttp', html)
    assert "default-src 'none'" in html


def test_numbers_that_are_not_finite_are_shown_as_absent(tmp_path):
    report = make_report([benchmark(tmp_path, record(first_ms=float('nan'), samples=float('inf')),
                                    environment=dict(cpu='A CPU', load=[float('nan')]))])
    content = embedded(make_html(report))
    assert content['tasks'][0]['latency_only'][0]['first'] is None and content['machines'][0]['load'] == [None]


def test_a_name_cannot_break_out_of_its_script(report):
    assert '</script><b>' not in make_html(report)


def test_same_points_same_page(report, tmp_path):
    write_page(report, tmp_path / 'new' / 'a.html')
    assert (tmp_path / 'new' / 'a.html').read_text(encoding='utf-8') == make_html(report)


def node(script):
    program = shutil.which('node')
    if not program:
        pytest.skip('no node to run the page\'s script')
    done = subprocess.run([program, '-e', script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_script_finds_the_same_front_as_the_pictures():
    from lcvision.report.page import _ASSETS
    points = [dict(median=ms, accuracy=accuracy, low=ms * 0.97, high=ms * 1.03, number=i) for i, (ms, accuracy) in
              enumerate([(8, 40), (5, 30), (5.1, 31), (6, 29), (2, 10), (2.02, 10), (9, 39), (20, 45), (20.3, 44)])]
    points += [dict(median=7, accuracy=50, low=1, high=90, number=9),
               dict(median=1, accuracy=60, number=10, by_yardstick=dict(median=9, low=9, high=9)),
               dict(median=3, accuracy=61, number=11, by_yardstick=dict(median=8, low=8, high=8))]
    found = node(f'const g = require({json.dumps(str(_ASSETS / "geometry.js"))});'
                 f'const front = g.paretoFront({json.dumps(points)});'
                 'console.log(JSON.stringify([front.map(p => p.number), g.staircase(front, 30)]))')
    front = pareto_front(points)
    assert found[0] == front
    assert [tuple(corner) for corner in found[1]] == staircase([(points[i]['median'], points[i]['accuracy'])
                                                                for i in front], 30)


def test_the_page_draws_in_a_browser(report, tmp_path):
    browser = shutil.which('chromium') or shutil.which('google-chrome')
    if not browser:
        pytest.skip('no chromium to open the page')
    write_page(report, tmp_path / 'page.html')
    command = [browser, '--headless', '--no-sandbox', '--disable-gpu', f'--user-data-dir={tmp_path / "u"}',
               '--dump-dom', (tmp_path / 'page.html').as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    body = done.stdout.split('<main', 1)[1].split('<footer', 1)[0]
    # Marks of 3 points in view, 4 of the paper, one without accuracy; the rest are of the legends.
    assert len(re.findall(r'<path [^>]*class="mark"', body)) >= 8
    labels = re.findall(r'class="label"[^>]*>([^<]+)<', body)
    assert {'1x, PyTorch eager*', '0.5x, OpenVINO', 'PP-LCNet 1x'} <= set(labels)
    assert 'the median drifted by 9%' in body
    assert 'A CPU' in done.stdout.split('<footer', 1)[1]
