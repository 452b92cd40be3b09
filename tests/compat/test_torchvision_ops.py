from pathlib import Path

import pytest

DECLARED = 'from lcvision.compat import torchvision_ops\nprint(torchvision_ops._library is not None)\n'
REAL = """
import lcvision, torch
print(hasattr(torch.ops.torchvision, 'nms'))
import torchvision, torchvision.transforms.functional, torchvision.models, torchvision.ops.boxes
from torchvision.transforms.transforms import InterpolationMode
print(torchvision.extension._has_ops())
try:
    print(len(torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)))
except RuntimeError as error:
    print('custom C++ ops' in str(error))
print(tuple(torchvision.transforms.Resize(4)(torch.ones(3, 8, 12)).shape[-2:]))
"""


def torchvision_like(folder: Path, has_ops: bool) -> None:
    package = folder / 'torchvision'
    package.mkdir()
    (package / '__init__.py').write_text('from torchvision import extension, _meta_registrations\n')
    (package / 'extension.py').write_text(f'def _has_ops(): return {has_ops}\n')
    (package / '_meta_registrations.py').write_text(
        'import torch\nregistered = hasattr(torch.ops.torchvision, "nms")\n')


def test_it_imports_and_computes_whether_or_not_its_ops_load(fresh):
    there_before, ops_load, nms, resized, declared = fresh(REAL + DECLARED).splitlines()
    assert there_before == 'False', 'nothing happens until torchvision is imported'
    assert {ops_load, declared} == {'True', 'False'}
    assert nms == ('1' if ops_load == 'True' else 'True'), 'ops that did not load are still refused'
    assert resized == '(4, 6)'


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
