"""Each framework alone: what is built on it is there, what is built on the others is refused in a sentence."""
import subprocess
import sys
from pathlib import Path

import pytest

from lcvision import frameworks
from lcvision.errors import UserError
from tests.contracts.test_backbone_contract import CASES

CONFIGS = {'mmdet': 'picodet_pplcnet_0_5x', 'mmseg': 'deeplabv3plus_pplcnet_0_5x', 'mmpretrain': 'pplcnet_0_25x'}
EXTRAS = {'mmdet': 'det', 'mmseg': 'seg', 'mmpretrain': 'cls'}
# What nothing but the framework, or its extra, installs.
BELOW = {'mmdet': ['hotcoco', 'pycocotools', 'shapely', 'terminaltables'], 'mmseg': ['ftfy', 'prettytable'],
         'mmpretrain': ['einops', 'mat4py', 'modelindex']}
# Each in a process that has imported torch and mmengine alone.
PROGRAM = """
import os, sys
from importlib import import_module
import torch, mmengine.runner

def alone(present, *hidden):
    sys.modules.update(dict.fromkeys(hidden + tuple(part for name in hidden for part in {below}[name])))
    import lcvision
    from mmengine.registry import init_default_scope
    init_default_scope(present)
    # Before any of the package's rooms is imported.
    models = import_module(f'{{present}}.registry').MODELS
    print(type(models.build(dict(type='lcvision.PPLCNet', scale=0.25))).__module__)
    for package in ('datasets.sources', 'engine', 'evaluation', 'inference', 'cli.train', 'cli.test', 'cli.predict'):
        import_module(f'lcvision.{{package}}')
    with torch.device('meta'):
        for kind, arguments in {backbones}:
            models.build(dict(type=f'lcvision.{{kind}}', **arguments))
    print([name for name in hidden if any(key.startswith(name + '.') for key in sys.modules)])
    from lcvision.cli import run_tool
    from lcvision.cli.get_flops import main
    for name in (present, *hidden):
        print(run_tool(lambda: main([{configs}[name], '--input-size', '64x64'])))

names = list({configs})
for present in names:
    if not (child := os.fork()):
        for stream in (sys.stdout, sys.stderr):
            print('framework', present, file=stream)
        alone(present, *(name for name in names if name != present))
        sys.stdout.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.fixture(scope='module')
def printed():
    """By framework, the lines of both streams where it is alone."""
    program = PROGRAM.format(below=BELOW, backbones=CASES, configs=CONFIGS)
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', program], capture_output=True, text=True, timeout=300,
                          cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr[-2000:]
    parts = [stream.split('framework ')[1:] for stream in (done.stdout, done.stderr)]
    return {out.splitlines()[0]: (out.splitlines(), err.splitlines()) for out, err in zip(*parts, strict=True)}


@pytest.mark.parametrize('present', CONFIGS)
def test_one_framework_is_enough(present, printed):
    lines, errors = printed[present]
    assert 'lcvision.models.backbones.pplcnet' in lines
    assert '[]' in lines and any('total' in line for line in lines)
    assert [line for line in lines if line in ('0', '1', '2')] == ['0', '2', '2']
    absent = [name for name in CONFIGS if name != present]
    for name, line in zip(absent, [line for line in errors if line.startswith('error: ')], strict=True):
        assert f'{CONFIGS[name]}.py needs {name}, ' in line and f"pip install 'lcvision[{EXTRAS[name]}]'" in line


def test_what_is_missing_in_a_framework_is_no_missing_framework(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, content in {'of_absent': 'import mmseg.nothing', 'of_broken': 'import no_such_library'}.items():
        (tmp_path / f'{name}.py').write_text(content)
        with pytest.raises(ModuleNotFoundError):
            frameworks.import_available([name])
    monkeypatch.setitem(sys.modules, 'mmseg', None)
    frameworks.import_available(['of_absent'])


def test_a_framework_without_mmcv_is_told(monkeypatch):
    frameworks.require('mmdet', 'x.py')
    frameworks.require('another_scope', 'x.py')
    frameworks.require(None, 'x.py')
    monkeypatch.setitem(sys.modules, 'mmcv', None)
    with pytest.raises(UserError, match=r'x\.py needs mmcv, .*lcvision\[seg\]'):
        frameworks.require('mmseg', 'x.py')
