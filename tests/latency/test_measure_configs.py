"""Latency as a function: in a notebook, without argv or exit."""
from pathlib import Path

import pytest

import lcvision
from lcvision.config import find_config, load_config
from lcvision.latency.measure_configs import make_subject

CONFIG = str(Path(__file__).parents[2] / 'configs/classification/pplcnet_0_5x_cifar10.py')
SHORT = dict(engine='eager', threads=1, samples=8, max_seconds=1)


def test_records_come_back():
    path, config = lcvision.measure([CONFIG, load_config(CONFIG)], **SHORT)
    assert path.config == config.config == CONFIG and path.latency_ms.median > 0
    assert (path.task, path.engine, path.threads, path.scope, path.size) == ('classification', 'eager', 1, 'net',
                                                                            '32x32')
    record, = lcvision.measure(CONFIG, input_size=(64, 96), **SHORT)
    assert record.size == '64x96' and record.macs > path.macs


def test_a_frameworks_config_is_recorded_without_the_folder_it_is_installed_in():
    path = find_config('mobilenet-v3-small-050_8xb128_in1k')
    subject = make_subject(path, load_config(path), (64, 64), ['net'])
    assert subject.config == 'mobilenet_v3/mobilenet-v3-small-050_8xb128_in1k.py'


@pytest.mark.parametrize(('wrong', 'words'), [
    (dict(engine='tensorrt'), "unknown engine 'tensorrt'"), (dict(threads=10_000), 'cannot run at once'),
    (dict(scope='all'), "unknown scope 'all'"), (dict(samples=0), 'samples is a whole number'),
    (dict(precision='fp8'), 'fp8'), (dict(configs='none.py'), 'no config file none.py')])
def test_mistakes_are_user_errors(wrong, words):
    with pytest.raises(lcvision.UserError, match=words):
        lcvision.measure(**{'configs': CONFIG, **SHORT, **wrong})
