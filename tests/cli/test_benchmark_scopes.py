"""tools/benchmark_cpu.py --scope."""
import json

from lcvision.cli.benchmark_cpu import main
from tests.cli.conftest import ROOT
from tests.inference.small_models import CLASSIFIER, SEGMENTOR, small_config

QUICK = ['--engine', 'eager', '--threads', '1', '--samples', '4', '--max-seconds', '1']


def test_end_to_end_rows_stand_beside_those_of_the_network(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    paths = []
    for name in (CLASSIFIER, SEGMENTOR):
        paths.append(str(tmp_path / f'{name.split("/")[0]}.py'))
        small_config(name, **({'image_size': (96, 64)} if name == SEGMENTOR else {})).dump(paths[-1])
    out = tmp_path / 'out.json'
    assert main([*paths, *QUICK, '--scope', 'e2e,net', '--json', str(out)]) == 0
    records = json.loads(out.read_text())['results']
    assert [(record['config'], record['scope']) for record in records] == [
        (path, scope) for path in paths for scope in ('net', 'e2e')]
    assert [record.get('image') for record in records] == [None, [480, 640], None, [64, 96]]
    assert all(one['latency_ms']['median'] > 0 for one in records)
    printed = capsys.readouterr().out
    assert printed.count('e2e - net') == 2
    assert main([paths[1], *QUICK, '--scope', 'e2e', '--input-size', '32x64', '--json', str(out)]) == 0
    record, = json.loads(out.read_text())['results']
    assert (record['scope'], record['image'], record['input']) == ('e2e', [32, 64], [32, 64])
