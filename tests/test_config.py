"""Reading configs."""
from pathlib import Path

import pytest

from lcvision import config as module
from lcvision.config import find_config, load_config
from lcvision.errors import UserError


def test_missing_or_broken_config(tmp_path):
    with pytest.raises(UserError, match=r'no config file .*absent\.py'):
        load_config(str(tmp_path / 'absent.py'))
    broken = tmp_path / 'broken.py'
    broken.write_text('model = dict(\n')
    with pytest.raises(UserError, match=r'broken\.py is no readable config file: SyntaxError'):
        load_config(str(broken))


def test_options_override_and_a_path_through_a_value_is_told(tmp_path):
    config = tmp_path / 'c.py'
    config.write_text('model = dict(a=1, b=[dict(c=2)])\n')
    assert load_config(str(config), {'model.b.0.c': 5}).model.b[0].c == 5
    with pytest.raises(UserError, match='cfg-options'):
        load_config(str(config), {'model.b.9.c': 5})


@pytest.mark.parametrize('name', ['picodet_pplcnet_1x', 'picodet_pplcnet_1x.py', 'detection/picodet_pplcnet_1x',
                                  'configs/detection/picodet_pplcnet_1x.py'])
def test_a_shipped_config_has_a_name_everywhere(name, tmp_path, monkeypatch):
    assert find_config(name) == 'configs/detection/picodet_pplcnet_1x.py'
    monkeypatch.chdir(tmp_path)
    assert load_config(name).filename == find_config(name)
    assert Path(find_config(name)).is_absolute() and not list(tmp_path.iterdir())


@pytest.mark.parametrize('name', ['rtmdet_tiny_8xb32-300e_coco', 'rtmdet/rtmdet_tiny_8xb32-300e_coco.py'])
def test_a_frameworks_config_has_the_name_it_ships_with(name):
    assert Path(find_config(name)).parts[-4:] == ('.mim', 'configs', 'rtmdet', 'rtmdet_tiny_8xb32-300e_coco.py')
    assert load_config(name).model.type == 'RTMDet'


def test_a_file_of_the_working_folder_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('picodet_pplcnet_1x.py').write_text('model = dict(a=1)')
    assert find_config('picodet_pplcnet_1x.py') == 'picodet_pplcnet_1x.py'
    assert load_config('picodet_pplcnet_1x.py').model.a == 1


def test_unknown_and_ambiguous_names_are_told(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r'has this name: similar names are .*picodet_pplcnet_1x\b'):
        find_config('picodet_pplcnet1x')
    for name in ('runtime', 'zzz', '', '*', 'x' * 5000):
        with pytest.raises(UserError, match=r'no config file .*configs$'):
            find_config(name)
    for task in ('detection', 'segmentation'):
        (tmp_path / task).mkdir()
        (tmp_path / task / 'net.py').write_text('model = dict()')
    monkeypatch.setattr(module, '_FOLDER', tmp_path)
    with pytest.raises(UserError, match='net is the name of several configs: give detection/net or segmentation/net'):
        find_config('net')
    assert find_config('segmentation/net') == str(tmp_path / 'segmentation/net.py')
