import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
from types import ModuleType

import mmcv
import mmcv.ops
import pytest
import torch
from mmcv.utils import ext_loader
from mmengine.utils.dl_utils import mmcv_full_available

from lcvision.compat import mmcv_ops
from lcvision.errors import UserError

REAL = 'def nms(*args, **kwargs): return "compiled"\n'


@pytest.fixture
def unloaded(monkeypatch):
    """As if `mmcv._ext` had not been imported yet."""
    monkeypatch.delitem(sys.modules, 'mmcv._ext', raising=False)
    monkeypatch.delattr(mmcv, '_ext', raising=False)


def is_stand_in(spec) -> bool:
    return isinstance(spec.loader, mmcv_ops.StandIn)


def test_finder_is_the_last_resort_and_answers_for_one_name():
    place, = (i for i, finder in enumerate(sys.meta_path) if isinstance(finder, mmcv_ops.StandIn))
    finder = sys.meta_path[place]
    assert place > sys.meta_path.index(PathFinder)
    assert finder.find_spec('mmcv._ext_other', None) is None
    assert finder.find_spec('_ext', None) is None
    assert is_stand_in(finder.find_spec('mmcv._ext', None))


def test_compiled_ops_win_over_the_stand_in(tmp_path, monkeypatch, unloaded):
    (tmp_path / '_ext.py').write_text(REAL)
    monkeypatch.setattr(mmcv, '__path__', [*mmcv.__path__, str(tmp_path)])
    assert not is_stand_in(find_spec('mmcv._ext'))
    assert ext_loader.load_ext('_ext', ['nms']).nms() == 'compiled'


def test_compiled_ops_already_loaded_stay(monkeypatch):
    real = ModuleType('mmcv._ext')
    real.nms = None
    monkeypatch.setitem(sys.modules, 'mmcv._ext', real)
    mmcv_ops.install()
    assert ext_loader.load_ext('_ext', ['nms']) is real


def test_compiled_ops_that_do_not_load_are_not_hidden(tmp_path, monkeypatch, unloaded):
    (tmp_path / '_ext.py').write_text('raise ImportError("undefined symbol")')
    monkeypatch.setattr(mmcv, '__path__', [*mmcv.__path__, str(tmp_path)])
    with pytest.raises(ImportError, match='undefined symbol'):
        ext_loader.load_ext('_ext', ['nms'])


@pytest.mark.skipif(not is_stand_in(find_spec('mmcv._ext')), reason='mmcv has its compiled ops here')
class TestStandIn:
    def test_satisfies_every_check_for_ops(self):
        assert ext_loader.check_ops_exist() and mmcv_full_available()

    def test_missing_op_is_named_only_when_called(self):
        op = ext_loader.load_ext('_ext', ['roi_align_forward']).roi_align_forward
        with pytest.raises(UserError, match=r"'roi_align_forward'.*pip install \"lcvision\[full\]\""):
            op(1, key=2)

    def test_missing_op_is_named_through_the_public_api(self):
        layer = mmcv.ops.RoIAlign(2)
        with pytest.raises(UserError, match="'roi_align_forward'"):
            layer(torch.zeros(1, 1, 8, 8), torch.tensor([[0., 0, 0, 4, 4]]))
        with pytest.raises(UserError, match="'nms_rotated'"):
            mmcv.ops.nms_rotated(torch.zeros(2, 5), torch.zeros(2), 0.5)

    def test_has_no_special_attributes_of_its_own_making(self):
        ext = sys.modules['mmcv._ext']
        assert not hasattr(ext, '__path__') and not hasattr(ext, '__file__')

    def test_environment_report_works(self):
        from mmcv.utils.env import collect_env
        assert collect_env()['MMCV Compiler'] == 'n/a'
