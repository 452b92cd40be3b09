"""The sets of models."""
import pytest

from lcvision.errors import UserError
from lcvision.latency.presets import DEFAULT, PRESETS, find_preset


def test_every_config_of_the_preset_and_of_the_default_set_exists():
    for preset in (DEFAULT, *PRESETS.values()):
        assert len(preset.paths()) == len(preset.configs)
    assert len(PRESETS['pplcnet-paper'].configs) == 8 + 10 + 4 + 4
    sizes = {DEFAULT.size(path) for path in DEFAULT.paths()}
    assert sizes == {None, (512, 1024)}


def test_an_unknown_preset():
    with pytest.raises(UserError, match="unknown preset 'x': presets are pplcnet-paper"):
        find_preset('x')
