"""Which one for how many milliseconds: from a sweep and a benchmark to a page and its pictures."""
import json

import pytest

from docs.build.answer import answer_lines, draw_answers
from tests.report.report_inputs import benchmark, record, write

LIGHT, HEAVY = (f'picodet_pplcnet_{scale}x_bccd' for scale in ('0_5', '1'))


@pytest.fixture
def docs(tmp_path):
    def row(config, low, high, n=2, **change):
        spread = dict(mean=(low + high) / 2, min=low, max=high, n=n)
        return dict(config=config, metrics={'coco/bbox_mAP': spread}, **change)

    rows = [row(LIGHT, 0.3, 0.32), row(HEAVY, 0.4, 0.44), row(HEAVY, 0.39, 0.43, 3, precision='bf16')]
    folder = tmp_path / 'reports' / 'answer'
    write(folder / 'detection.json', dict(plan='1', metric='coco/bbox_mAP', epochs=30, data='bccd', results=rows))
    benchmark(folder, record(LIGHT, 2.), record(HEAVY, 4.), record(HEAVY, 3., precision='bf16'),
              record(HEAVY, 6., scope='e2e'), name='detection_latency')
    return tmp_path


def test_the_front_is_named_and_all_models_are_listed(docs):
    page = '\n'.join(answer_lines(docs))
    assert ('from 2.00 ms **PicoDet PP-LCNet 0.5x in fp32**, 31.0 (30.0 to 32.0); '
            # In fp32 it has 42.0, which its seeds in bf16 span.
            'from 3.00 ms **PicoDet PP-LCNet 1x in bf16**, 41.0 (39.0 to 43.0).') in page
    assert 'BCCD, 30 epochs each, 2 or 3 seeds' in page
    assert [line for line in page.splitlines() if line.startswith('| PicoDet PP-LCNet 1x')] == [
        '| PicoDet PP-LCNet 1x | 400K | 160M | 42.0 (40.0 to 44.0) | 41.0 (39.0 to 43.0) | 4.00 | 6.00 | 3.00 | '
        'PyTorch eager |']


def test_a_picture_for_each_task_that_was_answered(docs):
    assert [path.name for path in draw_answers(docs)] == ['answer_detection.png']
    assert (docs / 'pictures' / 'answer_detection.png').stat().st_size > 20_000


def test_without_a_sweep_there_is_no_answer(tmp_path):
    assert answer_lines(tmp_path) == []
    write(tmp_path / 'reports' / 'answer' / 'detection.json', json.dumps({}))
    assert answer_lines(tmp_path) == []
