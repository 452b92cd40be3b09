"""A text config of a user's own, inheriting a framework's, runs where nothing has imported lcvision before."""
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
OWN = "backbone=dict(_delete_=True, type='lcvision.PPLCNet', scale=0.25, out_indices={})"
CONFIGS = {
    'mmdet': ('_base_/models/retinanet_r50_fpn.py',
              f"{OWN.format('(0, 1, 2, 3)')}, neck=dict(in_channels=[16, 32, 64, 128])"),
    'mmseg': ('_base_/models/deeplabv3plus_r50-d8.py',
              f"{OWN.format('(0, 1, 2, 3)')}, decode_head=dict(in_channels=128, c1_in_channels=16, num_classes=3), "
              'auxiliary_head=None, pretrained=None'),
    'mmpretrain': ('_base_/models/resnet18.py', f"{OWN.format('(3,)')}, head=dict(in_channels=128, num_classes=3)"),
}
# Each in a process that has imported mmengine alone.
PROGRAM = """
import os, sys
from mmengine.config import Config
from mmengine.runner import Runner
for path in ['', *sys.argv[1:]]:
    if not (child := os.fork()):
        if not path:
            from mmengine.registry import FUNCTIONS
            print(FUNCTIONS.get('lcvision.batch_random_resize').__name__, flush=True)
            os._exit(0)
        cfg = Config.fromfile(path)
        cfg.work_dir = os.path.dirname(path)
        runner = Runner.from_cfg(cfg)
        print(type(runner.model).__module__.split('.')[0], type(runner.model.backbone).__module__, flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def test_a_text_config_names_lcvision_in_custom_imports(tmp_path):
    paths = []
    for framework, (base, model) in CONFIGS.items():
        base = Path(find_spec(framework).origin).parent / '.mim/configs' / base
        paths.append(tmp_path / framework / 'own.py')
        paths[-1].parent.mkdir()
        paths[-1].write_text(f"_base_ = {str(base)!r}\ncustom_imports = dict(imports=['lcvision'])\n"
                             f"default_scope = {framework!r}\nmodel = dict({model})\n")
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', PROGRAM, *paths], capture_output=True, text=True,
                          cwd=tmp_path, timeout=300, env={**os.environ, 'PYTHONPATH': str(ROOT)})
    assert done.returncode == 0, done.stderr[-2000:]
    # A function needs no custom import: mmengine looks into the package that its name begins with.
    wanted = ['batch_random_resize', *(f'{framework} lcvision.models.backbones.pplcnet' for framework in CONFIGS)]
    assert [line for line in done.stdout.splitlines() if line in wanted] == wanted


def test_the_readme_shows_such_a_config():
    section = (ROOT / 'README.md').read_text().split('## In your own mmdet')[1].split('```python')[1].split('```')[0]
    assert "custom_imports = dict(imports=['lcvision'])" in section and '\nimport lcvision' not in section
