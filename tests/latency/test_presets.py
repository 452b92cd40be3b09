"""The sets of models."""
import pytest

from lcvision.config import load_config
from lcvision.errors import UserError
from lcvision.latency.presets import DEFAULT, PRESETS, find_preset
from lcvision.tasks import TASKS


def test_every_config_of_the_preset_and_of_the_default_set_exists():
    for preset in (DEFAULT, *PRESETS.values()):
        assert len(preset.paths()) == len(preset.configs)
    assert len(PRESETS['pplcnet-paper'].configs) == 8 + 10 + 4 + 4
    sizes = [DEFAULT.size(load_config(path)) for path in DEFAULT.paths()]
    assert sizes == 4 * [None] + 2 * [(512, 1024)]
    assert sum(len(PRESETS[f'peers-{task}'].configs) for task in TASKS) == len(PRESETS['peers'].configs)


def test_an_unknown_preset():
    with pytest.raises(UserError, match="unknown preset 'x': presets are pplcnet-paper"):
        find_preset('x')
