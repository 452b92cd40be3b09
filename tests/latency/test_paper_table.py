"""Ours beside the paper's, and the sets of models."""
import pytest

from lcvision.errors import UserError
from lcvision.latency.paper_table import format_paper, paper_rows
from lcvision.latency.presets import DEFAULT, PRESETS, find_preset
from lcvision.latency.record import LatencyRecord, Summary


def record(name, median, noisy=False, threads=2):
    return LatencyRecord(config=f'configs/x/{name}.py', task='detection', engine='eager', threads=threads,
                         precision='fp32', input=[224, 224], noisy=noisy, latency_ms=Summary(median, (median, median)))


def test_the_papers_rows():
    assert [len(paper_rows(table)) for table in (2, 3, 4, 5)] == [8, 13, 4, 4]
    assert all(point.config for table in (2, 3, 4, 5) for point in paper_rows(table))


def test_every_config_of_the_preset_and_of_the_default_set_exists():
    for preset in (DEFAULT, *PRESETS.values()):
        assert len(preset.paths()) == len(preset.configs)
    assert len(PRESETS['pplcnet-paper'].configs) == 8 + 10 + 4 + 4
    sizes = {DEFAULT.size(path) for path in DEFAULT.paths()}
    assert sizes == {None, (512, 1024)}


def test_an_unknown_preset():
    with pytest.raises(UserError, match="unknown preset 'x': presets are pplcnet-paper"):
        find_preset('x')


def test_milliseconds_ratios_and_order():
    rows = [record(point.config, 2 * point.ms) for point in paper_rows(2)]
    lines = format_paper(rows)
    assert max(map(len, lines)) <= 100
    line = next(line for line in lines if 'PP-LCNet 0.5x' in line)
    assert line.split() == ['PP-LCNet', '0.5x', '4.10', '2.05', '0.83', '0.83']
    assert 'rank correlation (Spearman) of 8 rows: 1.00' in '\n'.join(lines)
    assert 'Table 2' in lines[1] and '224x224, eager, 2 thr' in lines[1]


def test_another_order_shows_in_the_correlation():
    rows = paper_rows(4)
    turned = [record(point.config, 100 - point.ms) for point in rows]
    assert 'of 4 rows: -1.00' in '\n'.join(format_paper(turned))


def test_noise_is_marked_and_what_is_within_it_is_equal():
    rows = [record('pplcnet_1x', 5.), record('pplcnet_0_75x', 4.95), record('pplcnet_0_5x', 3., noisy=True)]
    lines = format_paper(rows, [dict(threads=2, floor=0.03)])
    assert [line.endswith('equal') for line in lines if '0.75x' in line] == [True]
    assert any('3.00*' in line for line in lines) and sum('equal' in line for line in lines) == 1


def test_rows_without_a_paper_time_and_threads_apart():
    lines = format_paper([record('shufflenetv2_1_5x', 9.), record('pplcnet_1x', 3., threads=1)])
    assert next(line for line in lines if '1.5x' in line).split()[-4:] == ['9.00', '-', '-', '-']
    assert sum(line.startswith('Table') for line in lines) == 3
