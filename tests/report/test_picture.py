import cv2
import numpy as np
import pytest
from report_inputs import benchmark, evaluation, record

from lcvision.latency.record import read_records
from lcvision.report import draw_task, make_report
from lcvision.report.picture import draw_records
from lcvision.report.style import limits
from tests.latency.test_table import ENVIRONMENT

OTHER = 'configs/detection/picodet_pplcnet_1x_bccd.py'


def area_of(path, colour):
    picture = cv2.imread(str(path))[..., ::-1]
    wanted = [int(colour[i:i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(picture.astype(int) - wanted).max(axis=-1) < 12).sum())


@pytest.fixture
def trained(tmp_path):
    return [evaluation(tmp_path, 0.3, record(median=8.), name='first'),
            evaluation(tmp_path, 0.35, record(config=OTHER, median=12.), config=OTHER, name='second')]


def test_front_and_paper_are_drawn_and_the_beaten_greyed(trained, tmp_path):
    third = evaluation(tmp_path, 0.2, record(config='configs/detection/slow_bccd.py', median=20.),
                       config='configs/detection/slow_bccd.py', name='third')
    sizes = {}
    for name, files in (('two', trained), ('three', [*trained, third])):
        path = tmp_path / 'out' / f'{name}.png'
        told = draw_task(make_report(files).tasks[0], path)
        sizes[name] = [area_of(path, colour) for colour in ('#0072B2', '#D55E00', '#9AA5B1')]
    assert told == ('3 points, 0 without accuracy, on BCCD, machine not recorded, 1 thread, network only, one image at '
                    'a time')
    assert min(sizes['three']) > 100
    assert sizes['three'][2] > sizes['two'][2]


def test_untrained_models_make_the_picture_higher(trained, tmp_path):
    rest = benchmark(tmp_path, *(record(config=f'configs/detection/net{i}.py', median=3. + i) for i in range(5)))
    without, beside, alone = (tmp_path / name for name in ('a.png', 'b.png', 'c.png'))
    draw_task(make_report(trained).tasks[0], without)
    report = make_report([*trained, rest]).tasks[0]
    report.view['machine'] = 'A CPU'
    assert draw_task(report, beside).endswith('; 2 under other conditions')
    draw_task(make_report([rest]).tasks[0], alone)
    report = make_report([rest, *trained, benchmark(tmp_path, record(median=8.), record(config=OTHER, median=12.),
                                                    name='same')]).tasks[0]
    assert report.view['machine'] == 'A CPU'
    draw_task(report, beside)
    assert cv2.imread(str(beside)).shape[0] > cv2.imread(str(without)).shape[0] + 100
    assert area_of(alone, '#616E7C') > 500


def test_one_point_alone_is_drawn(tmp_path):
    path = tmp_path / 'one.png'
    few = record(latency_ms=dict(median=5., p10=None, p90=None, ci95=None))
    draw_task(make_report([evaluation(tmp_path, 0.3, few)]).tasks[0], path)
    assert area_of(path, '#0072B2') > 100


def test_same_points_same_file(trained, tmp_path):
    paths = [tmp_path / name for name in ('a.png', 'b.png')]
    for path in paths:
        draw_task(make_report(trained).tasks[0], path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_wide_range_is_logarithmic():
    def of(*medians):
        return limits([dict(median=ms) for ms in medians])
    assert of(2., 30.)[2]
    assert not of(2., 5.)[2]
    left, right, _ = of(5.)
    assert 0 <= left < 5 < right


def test_records_alone(tmp_path):
    rows = [record(), record(median=12., noisy=True, samples=30)]
    draw_records(read_records(rows, 'here'), ENVIRONMENT, tmp_path / 'a.png')
    image = cv2.imread(str(tmp_path / 'a.png'))
    assert image.shape[1] > 1000 and image.std() > 5
