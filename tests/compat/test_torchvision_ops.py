from pathlib import Path

import pytest

LOADED = 'print(__import__("torchvision.extension").extension._has_ops())'
DECLARED = 'from lcvision.compat import torchvision_ops\nprint(torchvision_ops._library is not None)\n'
PARTS = ('import torchvision, torchvision.transforms.functional, torchvision.models, torchvision.ops.boxes\n'
         'from torchvision.transforms.transforms import InterpolationMode\n')


def torchvision_like(folder: Path, has_ops: bool) -> None:
    package = folder / 'torchvision'
    package.mkdir()
    (package / '__init__.py').write_text('from torchvision import extension, _meta_registrations\n')
    (package / 'extension.py').write_text(f'def _has_ops(): return {has_ops}\n')
    (package / '_meta_registrations.py').write_text(
        'import torch\nregistered = hasattr(torch.ops.torchvision, "nms")\n')


def test_imports_whether_or_not_its_ops_load(fresh):
    ops_load, declared = fresh('import lcvision\n' + PARTS + LOADED + '\n' + DECLARED).split()
    assert {ops_load, declared} == {'True', 'False'}


def test_transforms_compute(fresh):
    out = fresh('import lcvision, torch\nfrom torchvision import transforms\n'
                'print(transforms.Resize(4)(torch.ones(3, 8, 12)).shape[-2:])')
    assert out == 'torch.Size([4, 6])'


def test_ops_that_did_not_load_are_still_refused(fresh):
    out = fresh('import lcvision, torch, torchvision\n'
                'if torchvision.extension._has_ops():\n    print("loaded")\nelse:\n'
                '    try:\n        torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)\n'
                '    except RuntimeError as error:\n        print(error)')
    assert out == 'loaded' or 'custom C++ ops' in out


@pytest.mark.parametrize(('has_ops', 'declared'), [(True, 'False'), (False, 'True')])
def test_declares_only_where_the_ops_did_not_load(fresh, tmp_path, has_ops, declared):
    torchvision_like(tmp_path, has_ops)
    out = fresh('import lcvision, torchvision\nprint(torchvision._meta_registrations.registered)\n' + DECLARED,
                tmp_path)
    assert out.split() == [declared, declared]


def test_declares_nothing_that_is_there_already(fresh, tmp_path):
    torchvision_like(tmp_path, has_ops=False)
    out = fresh('import lcvision, torch\nlibrary = torch.library.Library("torchvision", "FRAGMENT")\n'
                'from lcvision.compat.torchvision_ops import SCHEMAS, declare_missing\n'
                'for name, schema in SCHEMAS.items():\n    library.define(name + schema)\n'
                'import torchvision\nprint(declare_missing())\n' + DECLARED, tmp_path)
    assert out.split() == ['[]', 'False']


def test_does_nothing_until_torchvision_is_imported(fresh):
    assert fresh('import lcvision, torch\nprint(hasattr(torch.ops.torchvision, "nms"))') == 'False'
