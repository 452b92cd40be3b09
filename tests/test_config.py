"""Reading configs."""
import pytest

from lcvision.config import load_config
from lcvision.errors import UserError


def test_missing_or_broken_config(tmp_path):
    with pytest.raises(UserError, match=r'no config file .*absent\.py'):
        load_config(str(tmp_path / 'absent.py'))
    broken = tmp_path / 'broken.py'
    broken.write_text('model = dict(\n')
    with pytest.raises(UserError, match=r'broken\.py is not a config file that can be read: SyntaxError'):
        load_config(str(broken))


def test_options_override_and_a_path_through_a_value_is_told(tmp_path):
    config = tmp_path / 'c.py'
    config.write_text('model = dict(a=1, b=[dict(c=2)])\n')
    assert load_config(str(config), {'model.b.0.c': 5}).model.b[0].c == 5
    with pytest.raises(UserError, match='cfg-options'):
        load_config(str(config), {'model.b.9.c': 5})
