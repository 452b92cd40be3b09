import cv2
import pytest

from docs.build.families import draw_families, families_table
from lcvision.latency.record import LatencyRecord, Summary


def record(stem, macs, median, engine='eager', threads=1, noisy=False):
    return LatencyRecord(
        config=f'configs/classification/{stem}.py', task='classification', engine=engine, precision='fp32',
        threads=threads, params=1_500_000, macs=macs, latency_ms=Summary(median, (median, median)), noisy=noisy,
        input=[224, 224])


@pytest.fixture
def records():
    return [record(stem, macs, factor * macs / 1e8 / threads, engine, threads, noisy=threads == 2)
            for stem, macs in (('pplcnet_0_5x', 47e6), ('pplcnet_1x', 161e6), ('elite9', 75e6), ('mobilenetv2_1x', 3e8))
            for threads in (1, 2) for engine, factor in (('eager', 4.), ('openvino', 2.))]


def test_a_row_has_each_engine_and_number_of_threads(records):
    head, *rows = families_table(records[:-1])
    assert head == ['model', 'params', 'MACs', 'ms, PyTorch eager, 1 thr', 'ms, OpenVINO, 1 thr',
                    'ms, PyTorch eager, 2 thr', 'ms, OpenVINO, 2 thr', 'GMAC/s, 1 thr']
    assert rows[1] == ['PP-LCNet 1x', '1.5M', '161M', '6.44', '3.22', '3.22\\*', '1.61\\*', '50']
    assert [row[0] for row in rows] == ['PP-LCNet 0.5x', 'PP-LCNet 1x', 'eLite-9', 'MobileNetV2 1x']
    assert rows[3][-2] == '-'


def test_same_records_same_picture(records, tmp_path):
    for name, rows in (('a', records), ('b', records), ('c', records[:8])):
        draw_families(rows, tmp_path / 'new' / f'{name}.png')
    a, b, c = ((tmp_path / 'new' / f'{name}.png').read_bytes() for name in 'abc')
    assert a == b != c
    assert cv2.imread(str(tmp_path / 'new/a.png')).shape[1] > 1500
