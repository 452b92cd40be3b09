import json
import random
import re
import shutil
import subprocess
from html import unescape

import pytest
from report_inputs import benchmark, evaluation, record

from lcvision.report import make_report, write_page
from lcvision.report.page import make_html, page_points
from lcvision.report.pareto import pareto_front

pytest.importorskip('plotly', reason='no Plotly to draw the page')
OTHER = 'configs/detection/picodet_pplcnet_1x_bccd.py'
NAUGHTY = 'configs/detection/x</script><script>document.title="broken"</script>.py'


@pytest.fixture
def report(tmp_path):
    return make_report([
        evaluation(tmp_path, 0.3, record(median=8.), name='first'),
        evaluation(tmp_path, 0.35, record(config=OTHER, median=12.), config=OTHER, name='second'),
        benchmark(tmp_path, record(), record(engine='openvino', median=3.), record(threads=2), record(config=NAUGHTY),
                  record(config=OTHER, noisy=True, noisy_because=['the median drifted by 9%']), cpu='<i>A</i> CPU')])


def test_page_holds_every_point_paper_and_machine(report):
    html = make_html(report)
    assert len(re.findall('<tr data-point=', html)) == 7
    assert 'Models: 3, measurements: 7, on: &lt;i&gt;A&lt;/i&gt; CPU, machine not recorded.' in html
    assert '<h2>Measured on &lt;i&gt;A&lt;/i&gt; CPU</h2>' in html
    assert 'first.json, second.json, bench.json' in html
    paper = html.split('What the paper prints', 1)[1].split('</details>')[0]
    assert paper.count('<tr>') == 1 + 4
    values = {(name, unescape(value)) for name, value in re.findall(r'type="\w+" name="(\w+)" value="([^"]*)"', html)}
    assert {('machine', '<i>A</i> CPU'), ('engine', 'openvino'), ('precision', 'fp32'), ('threads', '2'),
            ('data', 'BCCD')} <= values


def test_all_numbers_of_a_point_are_in_its_text(tmp_path):
    yardstick = dict(network=dict(ratio=2.5, ci95=[2.4, 2.6]))
    report = make_report([benchmark(tmp_path, record(first_ms=float('nan'), yardstick=yardstick, noisy=True,
                                                     noisy_because=['steps of <1%'], compile_s=3.))])
    (point,) = page_points(report.tasks[0])
    assert point['symbol'] == 'circle-open'
    assert point['hover'].split('<br>') == [
        'Model: PicoDet PP-LCNet 0.5x', 'ms: 5.00 *', 'p10 to p90: 4.50 to 6.00', '95 % interval: 4.95 to 5.05',
        'Samples: 200', 'Yardsticks: 2.5', 'Engine: PyTorch eager', 'Precision: fp32', 'Threads: 1',
        'Scope: network only', 'Input: 320 x 320', 'Params: 400K', 'MACs: 160M', 'Compile s: 3.0',
        'Source: bench.json', 'Noisy because: steps of &lt;1%']


def test_names_stay_text_and_nothing_comes_from_outside(report):
    html = make_html(report)
    assert [name in html for name in (NAUGHTY[18:-3], '<i>A</i>')] == [False, False]
    assert "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:" in html
    assert not re.search(r'<link|<script[^>]* src=|@import', html.split('</head>')[1])


def test_same_points_same_page(report, tmp_path):
    write_page(report, tmp_path / 'new' / 'a.html')
    assert (tmp_path / 'new' / 'a.html').read_text(encoding='utf-8') == make_html(report)


def in_browser(html, script, folder):
    """Runs a script on the page as it has been drawn, and gives its value and the page."""
    browser = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
    if not browser:
        pytest.skip('no Chromium to open the page')
    script = f'<script>document.body.dataset.told = JSON.stringify((() => {{{script}}})())</script></body>'
    page = folder / 'page.html'
    page.write_text(html.replace('</body>', script), encoding='utf-8')
    command = [browser, '--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking',
               '--no-first-run', '--enable-logging=stderr', f'--user-data-dir={folder / "profile"}',
               '--virtual-time-budget=3000', '--dump-dom', page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and 'CONSOLE' not in done.stderr, done.stderr
    return json.loads(unescape(re.search(r' data-told="([^"]*)"', done.stdout)[1])), done.stdout


def test_the_page_draws_and_filters_in_a_browser(report, tmp_path):
    told, page = in_browser(make_html(report), '''
        const plot = document.getElementById('detection_plot'), field = name => document.querySelector(name);
        const read = () => [...plot.data.slice(0, 2).map(trace => trace.text),
            document.querySelectorAll('#detection_strip .point').length,
            [...document.querySelectorAll('tr[data-point]')].filter(row => !row.hidden).length];
        const drawn = plot.querySelectorAll('.point').length, states = [read()];
        for (const name of ['[value=openvino]', '[value=openvino]', '[name=threads][value="2"]']) {
            field(name).click();
            states.push(read());
        }
        field('[value=eager]').click();
        const none = field('output').textContent;
        for (const name of ['[value=eager]', '[name=threads][value="1"]']) field(name).click();
        field('[name=budget]').value = 4;
        field('form').dispatchEvent(new Event('input'));
        field('th:nth-child(2)').click();
        return {drawn, states, none, answer: field('output').textContent, title: document.title,
            order: [...document.querySelectorAll('tr[data-point]')].map(row => row.cells[1].textContent)};
    ''', tmp_path)
    both = ['0.5x, OpenVINO', '1x, PyTorch eager *']
    assert told['states'] == [[both, [''], 1, 4], [['1x, PyTorch eager *'], ['0.5x, PyTorch eager'], 1, 3],
                              [both, [''], 1, 4], [['0.5x, PyTorch eager'], [], 0, 1]]
    assert told['drawn'] >= 3 + 4
    assert told['none'] == 'no accuracy was measured under these filters'
    assert told['answer'] == 'PicoDet PP-LCNet 0.5x on OpenVINO, fp32: 30.0 % in 3.00 ms'
    assert told['order'] == ['30.0'] * 4 + ['35.0'] * 2 + ['']
    assert told['title'] == 'Accuracy against latency'
    assert 'data-title="Zoom in"' in page and 'data-title="Share chart' not in page


def test_the_page_finds_the_same_front_as_the_pictures(report, tmp_path):
    draw = random.Random(0)
    points = []
    for number in range(60):
        ms, ratio = draw.choice((5., 5.1, draw.uniform(1, 20))), draw.uniform(1, 20)
        width = draw.uniform(0.01, 0.2)
        points.append(dict(number=number, median=ms, low=ms * (1 - width), high=ms * (1 + width),
                           accuracy=draw.choice((30, draw.uniform(10, 50))), by_yardstick=draw.choice(
                               (None, dict(median=ratio, low=0.97 * ratio, high=1.03 * ratio)))))
    found, _ = in_browser(make_html(report), f'''
        const points = {json.dumps(points)};
        return points.filter(p => !points.some(other => beats(other, p))).map(p => p.number);''', tmp_path)
    assert found == sorted(pareto_front(points)) and 0 < len(found) < 60
