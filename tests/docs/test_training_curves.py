import json

import cv2
import numpy as np
import pytest

from docs.build.training_curves import draw_curves, extract_curve, read_curve
from lcvision.errors import UserError
from lcvision.tasks import DETECTION

AP, AP50 = DETECTION.metrics


def log(folder, name, *lines):
    path = folder / name / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(line if isinstance(line, str) else json.dumps(line) for line in lines))


def train(epoch, iteration, seconds=2.):
    return dict(lr=0.1, loss=1.0, time=seconds, epoch=epoch, iter=iteration, step=iteration)


def evaluation(epoch, ap, ap50):
    return {AP: ap, AP50: ap50, 'data_time': 0.1, 'step': epoch}


@pytest.fixture
def run(tmp_path):
    log(tmp_path, '20260101_000000', train(1, 9), train(1, 18), evaluation(1, 0.1, 0.2), train(2, 36),
        evaluation(2, 0.15, 0.3), '{"coco/bbox_mAP": 0.9, "coco/')
    return tmp_path


def curve(name='ours', config='a', status='retrained', scale=1.0):
    points = [{'epoch': e, 'iter': 18 * e, AP: 0.03 * e * scale, AP50: 0.05 * e * scale} for e in (1, 5, 10)]
    return dict(name=name, config=config, source='a test', status=status, points=points)


def test_curve_of_a_run(run):
    (run / 'my_config.py').touch()
    extracted = extract_curve(run, 'ours')
    assert extracted['points'] == [{'epoch': 1, 'iter': 18, AP: 0.1, AP50: 0.2, 'minutes': 0.6},
                                   {'epoch': 2, 'iter': 36, AP: 0.15, AP50: 0.3, 'minutes': 1.2}]
    assert (extracted['name'], extracted['config'], extracted['status']) == ('ours', 'my_config', 'retrained')
    assert 'my_config' in extracted['source']


def test_a_resumed_run_is_joined_and_its_last_part_counts(run):
    log(run, '20260102_000000', train(2, 36), evaluation(2, 0.4, 0.5), train(3, 54), evaluation(3, 0.6, 0.7))
    points = extract_curve(run, 'ours')['points']
    assert [(p['epoch'], p['iter'], p[AP]) for p in points] == [(1, 18, 0.1), (2, 36, 0.4), (3, 54, 0.6)]


def test_curves_of_the_other_tasks(tmp_path):
    log(tmp_path / 'a', '1', train(1, 10, 3.), {'accuracy/top1': 40.0, 'accuracy/top5': 90.0, 'step': 1})
    # A run by iterations has no epochs, and the step of an evaluation is its iteration.
    street = dict(mIoU=30.0, aAcc=60.0, mIoU_position=16.7)
    log(tmp_path / 'b', '1', dict(loss=1., time=6., iter=10, step=10), dict(step=10, mAcc=1.0, **street))
    assert extract_curve(tmp_path / 'a', 'a')['points'] == [
        {'epoch': 1, 'iter': 10, 'accuracy/top1': 40.0, 'minutes': 0.5}]
    assert extract_curve(tmp_path / 'b', 'b')['points'] == [dict(iter=10, minutes=1.0, **street)]


def test_minutes_are_those_of_a_machine_that_is_not_busy(tmp_path):
    steps = [train(1, iteration, seconds=6. if iteration > 20 else 3.) for iteration in range(10, 110, 10)]
    log(tmp_path, '1', *steps, evaluation(1, 0.1, 0.2))
    assert extract_curve(tmp_path, 'ours')['points'][0]['minutes'] == 5.


def test_curves_of_two_tasks_are_not_drawn_together(tmp_path):
    other = {**curve(), 'points': [{'epoch': 1, 'iter': 10, 'accuracy/top1': 40.0, 'minutes': 0.5}]}
    draw_curves([other], tmp_path / 'other.png')
    with pytest.raises(ValueError, match=r'classification, detection'):
        draw_curves([curve(), other], tmp_path / 'both.png')


def test_a_folder_without_a_log_or_an_evaluation_is_refused(tmp_path):
    with pytest.raises(UserError, match=r'scalars\.json'):
        extract_curve(tmp_path, 'ours')
    log(tmp_path, '20260101_000000', train(1, 18))
    with pytest.raises(UserError, match='no evaluation yet'):
        extract_curve(tmp_path, 'ours')


def test_what_is_extracted_can_be_read(run, tmp_path):
    extracted = extract_curve(run, 'ours', source='here', status='smoke')
    path = tmp_path / 'curve.json'
    path.write_text(json.dumps(extracted))
    assert read_curve(path) == extracted and extracted['source'] == 'here'


@pytest.mark.parametrize('change, reason', [
    (dict(status='excellent'), "'excellent'"),
    (dict(points=[]), 'points'),
    (dict(points=[{'epoch': 1, 'iter': 18, AP: 0.1}]), 'points'),
    (dict(source=None), 'lacks source'),
])
def test_a_wrong_curve_is_refused(tmp_path, change, reason):
    path = tmp_path / 'curve.json'
    path.write_text(json.dumps({k: v for k, v in {**curve(), **change}.items() if v is not None}))
    with pytest.raises(UserError, match=reason) as error:
        read_curve(path)
    assert str(path) in str(error.value)


def test_a_missing_or_torn_curve_is_refused(tmp_path):
    with pytest.raises(UserError, match='no curve'):
        read_curve(tmp_path / 'none.json')
    (tmp_path / 'torn.json').write_text('{"name": ')
    with pytest.raises(UserError, match='not JSON'):
        read_curve(tmp_path / 'torn.json')


def test_same_curves_same_picture_other_curves_another(tmp_path):
    reference = curve('theirs', status='reference', scale=0.8)
    for name, curves in (('a', [curve(), reference]), ('b', [curve(), reference]), ('c', [curve(scale=0.5)])):
        draw_curves(curves, tmp_path / 'new' / f'{name}.png')
    a, b, c = ((tmp_path / 'new' / f'{name}.png').read_bytes() for name in 'abc')
    assert a == b != c
    picture = cv2.imread(str(tmp_path / 'new' / 'a.png'))
    assert picture.shape[1] > 1000 and picture.shape[0] > 400
    # The one config has one colour: blue, in BGR.
    assert (np.abs(picture.astype(int) - (0xB2, 0x72, 0x00)).max(-1) < 8).sum() > 1000
