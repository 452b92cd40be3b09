"""tools/doctor.py: one screen, a remedy for what does not work, exit code 1 only for that."""
import json
from importlib import metadata

import pytest

from lcvision.cli import doctor
from lcvision.deploy import engines
from lcvision.deploy.engines.eager import EagerEngine
from lcvision.deploy.engines.engine import Prepared
from tests.cli.conftest import call


@pytest.fixture(autouse=True)
def one_engine(monkeypatch):
    """The others take their time to compile."""
    eager = engines.ENGINES['eager']
    monkeypatch.setattr(engines, 'ENGINES', {'eager': eager, 'absent': Absent()})
    monkeypatch.setattr(eager, 'precisions', ('fp32',))


class Absent(EagerEngine):
    name = 'absent'
    packages = ('not_there',)
    extra = 'onnx'


def test_all_is_said_on_one_screen_and_as_json(tmp_path):
    done = call('doctor', '--json', str(tmp_path / 'found.json'))
    assert done.returncode == 0 and 'everything works' in done.stdout and len(done.stdout.splitlines()) < 30
    found = json.loads((tmp_path / 'found.json').read_text())
    levels = {check['name']: check['level'] for check in found['checks']}
    assert levels['eager fp32'] == levels['Python'] == 'ok' and levels['absent'] == 'note'
    assert found['environment']['cores'] >= 1 and 'pip install' in done.stdout
    assert {'mmcv', 'CPU', 'int8', 'bfloat16', 'threads', '/dev/shm', 'disk', 'allocator'} <= levels.keys()


def test_an_engine_that_computes_something_else_is_an_error(monkeypatch):
    monkeypatch.setattr(EagerEngine, 'prepare', lambda self, network, example, **_: Prepared(
        lambda x: tuple(y * 1.1 for y in network(x)), example, 1.))
    done = call('doctor')
    assert done.returncode == 1 and 'its output differs from eager float32' in done.stdout


@pytest.mark.parametrize('package, version, said', [
    ('torch', '2.5.0', "error   torch                  2.5.0, but >=2.6 is needed; pip install 'torch>=2.6'"),
    ('numpy', None, 'error   packages               not installed: numpy; pip install numpy'),
    ('mmcv', '2.1.0', 'error   mmcv                   both mmcv and mmcv-lite, which overwrite each other; '),
    ('rich', '1.0.0', 'warning versions               not those tested: rich 1.0.0 (==')])
def test_packages(monkeypatch, package, version, said):
    real = metadata.version

    def fake(name):
        if name == package:
            if version is None:
                raise metadata.PackageNotFoundError
            return version
        return real(name)
    monkeypatch.setattr(metadata, 'version', fake)
    assert said in call('doctor').stdout


def test_without_torch_the_packages_are_all_that_is_said(monkeypatch, tmp_path):
    real = doctor.version_of
    monkeypatch.setattr(doctor, 'version_of', lambda name: None if name == 'torch' else real(name))
    done = call('doctor', '--json', str(tmp_path / 'found.json'))
    assert done.returncode == 1 and 'error   packages               not installed: torch' in done.stdout
    assert 'CPU' not in done.stdout and json.loads((tmp_path / 'found.json').read_text())['environment'] is None


@pytest.mark.parametrize('flags, said', [
    (['avx2'], ['float32                avx2: 8 at once', 'bfloat16               not in this CPU', 'no VNNI']),
    (['avx512f', 'amx_bf16', 'amx_int8', 'avx512_vnni'], ['tiles (AMX)', '16 at once']),
    ([], ['warning float32                slow, this CPU lacks AVX2'])])
def test_cpus(monkeypatch, flags, said):
    collect = doctor.environment.collect
    monkeypatch.setattr(doctor.environment, 'collect', lambda: {**collect(), 'flags': flags})
    text = call('doctor').stdout
    assert all(one in text for one in said)
