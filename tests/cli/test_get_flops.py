"""tools/get_flops.py: stage by stage, several configs, JSON, and mistakes."""
import json

import pytest

from lcvision.cli.get_flops import count_config, main
from tests.cli.conftest import call

CONFIG = 'configs/classification/pplcnet_0_25x.py'


def test_one_config_is_shown_stage_by_stage(capsys, tmp_path):
    out = tmp_path / 'counts.json'
    assert main([CONFIG, '--json', str(out)]) == 0
    text = capsys.readouterr().out
    names = [line.split()[0] for line in text.splitlines() if line.endswith('M')]
    assert names == ['backbone.stem', *(f'backbone.stages.{i}' for i in range(5)), 'head', 'total']
    assert '1,521,184' in text and '18.25M' in text and '16.77M' in text
    [counts] = json.loads(out.read_text())
    assert counts['input'] == [224, 224] and counts['params'] == 1_521_184
    for key in ('params', 'buffers', 'macs', 'paddle_flops'):
        assert counts[key] == sum(part[key] for part in counts['parts'])


def test_several_configs_get_a_line_each(capsys):
    assert main([CONFIG, 'configs/detection/picodet_pplcnet_0_5x.py', '--input-size', '96x64']) == 0
    text = capsys.readouterr().out
    assert 'pplcnet_0_25x 96x64' in text and 'picodet_pplcnet_0_5x 96x64' in text and 'backbone.stem' not in text


def test_options_change_the_network():
    plain = count_config(CONFIG)
    wide = count_config(CONFIG, cfg_options={'model.head.num_classes': 10})
    assert plain['params'] - wide['params'] == 990 * 1281


@pytest.mark.parametrize('args, text', [
    (['nowhere.py'], 'no config file nowhere.py'),
    ([CONFIG, '--input-size', '224'], "input size '224' is not HEIGHTxWIDTH"),
    ([CONFIG, '--json', 'no/such/folder/x.json'], 'does not exist'),
])
def test_mistakes_are_told_in_a_sentence(args, text):
    done = call('get_flops', *args)
    assert done.returncode == 2 and text in done.stderr and done.stderr.count('\n') == 1
