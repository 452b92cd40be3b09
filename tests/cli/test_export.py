"""``tools/export.py``: what it hands over, prints and returns."""
import subprocess
import sys
from pathlib import Path

import pytest

from lcvision.cli import export as tool
from lcvision.exporting.job import ExportedFile, ExportResult
from lcvision.exporting.ladder import Verdict
from tests.cli.conftest import ROOT


def exported(name: str, ms: float | None, failure: str | None = None) -> ExportedFile:
    return ExportedFile(Path('out', name), 'onnx', 'end2end', 'fp32', 1_700_000,
                        Verdict(7.9e-6, 3.9e-6, 1900, failure), 0.3, ms)


@pytest.fixture
def run(monkeypatch):
    def run(*files: ExportedFile, arguments=()):
        given = {}

        def export(config, checkpoint, **options):
            given.update(options, config=config, checkpoint=checkpoint)
            return ExportResult('detection', list(files), ['a note'], 0.3, 10.4)
        monkeypatch.setattr('lcvision.exporting.export.export', export)
        return tool.main(['c.py', 'c.pth', '--out', 'out', *arguments]), given
    return run


def test_the_table_names_the_best(run, capsys):
    code, given = run(exported('a.onnx', 5.2), exported('b.xml', 2.6), arguments=['--to', 'onnx', '--dynamic', 'batch'])
    out = capsys.readouterr().out.splitlines()
    assert code == 0 and given['to'] == 'onnx' and given['dynamic'] == 'batch' and given['graph'] == 'end2end'
    assert out[0].split() == ['file', 'MB', 'maps', 'results', 'compared', 'mAP', 'ms']
    assert out[2].split() == ['eager', '30.00', '10.40']
    assert out[3].split() == ['a.onnx', '1.7', '7.9e-06', '3.9e-06', '1900', '30.00', '5.20']
    assert out[4].split()[-1] == 'best'
    assert out[5:] == ['best: out/b.xml, 4.0 times as quick as eager', 'a note']


def test_a_failure_is_told_and_exits_with_1(run, capsys):
    code, _ = run(exported('a.onnx', None, 'a.onnx: level 1, raw map cls_8'))
    out, err = capsys.readouterr()
    assert code == 1 and 'FAILED' in out and 'best' not in out
    assert err == 'error: a.onnx: level 1, raw map cls_8; it was not delivered\n'


def test_without_onnx_there_is_one_sentence():
    script = ('import sys; sys.modules["onnx"] = None; from lcvision.cli import run_tool; '
              'from lcvision.cli.export import main; '
              'sys.exit(run_tool(lambda: main(["c.py", "c.pth", "--out", "out"])))')
    done = subprocess.run([sys.executable, '-c', script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr == ("error: export needs onnx, onnxscript and a runtime: pip install 'lcvision[onnx]' or "
                           "'lcvision[openvino]'\n")
