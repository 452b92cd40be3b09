"""Every row of docs/ablations.md: its options fit the config and give the parameters and multiply-adds it prints."""
import re
from argparse import ArgumentParser
from pathlib import Path

import pytest
import torch
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from torch import nn

from lcvision.complexity import count_complexity
from lcvision.papers import PP_LCNET
from lcvision.registry import MODELS

ROOT = Path(__file__).parents[2]
CELLS = r'\| (.+?) \| ([\d,]+) \| ([\d,]+) \| ([\d.]+) \| (?:`(.+?)`)? ?\|'
ROWS = [re.fullmatch(CELLS, line) for line in (ROOT / 'docs/ablations.md').read_text().splitlines()
        if re.search(r'\d,\d{3}', line)]


def build(options):
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='*', action=DictAction)
    cfg = Config.fromfile(ROOT / 'configs/classification/pplcnet_0_5x.py')
    cfg.merge_from_dict(parser.parse_args(['--cfg-options', *options.split()]).cfg_options)
    init_default_scope('mmpretrain')
    return MODELS.build(cfg.model)


def test_there_are_all_rows():
    assert all(ROWS)
    printed = {(number, str(place)): f'{row.accuracy:.2f}' for number in '6789'
               for place, row in enumerate(PP_LCNET.table(number), start=1)}
    assert {place: row[4] for row in ROWS for place in re.findall(r'(\d),? row (\d)', row[1])} == printed


@pytest.mark.parametrize('row', ROWS, ids=lambda row: row[1])
def test_row_has_the_counts_it_prints(row):
    with torch.device('meta'):
        counts = count_complexity(build(row[5] or ''), torch.empty(1, 3, 224, 224))
    assert (f'{counts.params:,}', f'{counts.macs:,}') == (row[2], row[3])


def test_counts_without_the_last_convolution_are_the_base_network_s():
    """The base network is counted by hand: none of the four techniques of the paper."""
    widths = [8, 16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256]
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
    size, macs, params = 112, 112 * 112 * 27 * 8, 27 * 8 + 2 * 8
    for before, after, stride in zip(widths[:-1], widths[1:], strides, strict=True):
        size //= stride
        macs += size * size * before * (9 + after)
        params += before * (9 + 2) + after * (before + 2)
    base = next(row for row in ROWS if 'base network' in row[1])
    assert (base[2], base[3]) == (f'{params + 256 * 1000 + 1000:,}', f'{macs + 256 * 1000:,}')


def test_rows_without_counts_of_their_own_are_other_networks():
    relu, plain = build(ROWS[1][5]), build('')
    assert not any(isinstance(m, nn.Hardswish) for m in relu.modules())
    assert any(isinstance(m, nn.Hardswish) for m in plain.modules())
    assert build(ROWS[-1][5]).head.dropout.p == 0 and plain.head.dropout.p == 0.2
