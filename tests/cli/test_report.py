import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from lcvision.cli.report import main
from lcvision.errors import UserError
from tests.cli.conftest import ROOT, call

REPORTS = ROOT / 'docs' / 'reports'


def test_pictures_and_page_of_the_committed_reports(tmp_path):
    names = ('picodet_pplcnet_0_5x_bccd_reference', 'picodet_v2_s_bccd_reference', 'table4')
    files = [REPORTS / f'{name}.json' for name in names]
    done = call('report', *map(str, files), '--out', 'new/out', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = tmp_path / 'new' / 'out'
    pictures, page = ['report_detection.png'], out / 'report.html'
    assert 'report_detection.png: 2 points, ' in done.stdout
    if not find_spec('plotly'):
        assert [path.name for path in out.iterdir()] == pictures
        assert "pip install 'lcvision[report]'" in done.stdout
        return
    assert sorted(path.name for path in out.iterdir()) == ['report.html', *pictures]
    records = json.loads((REPORTS / 'table4.json').read_text())['results']
    text = page.read_text()
    assert all(f'"median":{record["latency_ms"]["median"]}' in text for record in records)


def test_mistakes_end_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('empty').mkdir()
    Path('x.json').write_text('{"schema": 9}')
    Path('file').touch()
    good = str(REPORTS / 'table4.json')
    for args, sentence in ((['x.json', good], 'x.json has schema 9'), ([good, 'empty'], 'empty holds no run'),
                           ([good, '--out', 'file'], '--out file is a file')):
        with pytest.raises(UserError, match=sentence):
            main(args)
    assert not Path('report').exists()
