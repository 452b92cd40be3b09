import json

from lcvision.cli.latency_spread import main
from tests.latency.test_compare import MACHINE, content, on_yardstick, record


def write(tmp_path, *contents):
    paths = [tmp_path / f'{i}.json' for i in range(len(contents))]
    for path, one in zip(paths, contents, strict=True):
        path.write_text(json.dumps(one))
    return list(map(str, paths))


def test_the_spread_in_ms_and_by_yardstick(tmp_path, capsys):
    runs = [content(on_yardstick(record(10. * x, noisy=x > 1.05, cpu_seconds=cpu, samples=4), compute=x))
            for x, cpu in ((1., 2.), (1.1, 2.1), (1.02, 2.))]
    assert main(write(tmp_path, *runs)) == 0
    row = capsys.readouterr().out.splitlines()[-1].split()
    assert row[:8] == ['10.0%', '5.0%', '0.0%', '10.0%', '-', '1', 'of', '3']


def test_runs_without_yardstick_and_of_other_machines(tmp_path, capsys):
    assert main(write(tmp_path, content(record(10.)), content(record(10.5)))) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[:4] == ['5.0%', '-', '-', '-']
    assert main(write(tmp_path, content(record(10.)), content(record(10.), **MACHINE | dict(cpu='Other')))) == 1
    assert 'CPU: Some CPU there, Other here' in capsys.readouterr().out
