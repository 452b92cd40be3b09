"""Latency as a function: in a notebook, without argv or exit."""
from pathlib import Path

import pytest

import lcvision
from lcvision.config import load_config

CONFIG = str(Path(__file__).parents[2] / 'configs/classification/pplcnet_0_5x_cifar10.py')
SHORT = dict(engine='eager', threads=1, samples=8, max_seconds=1)


def test_records_come_back():
    path, config = lcvision.measure([CONFIG, load_config(CONFIG)], **SHORT)
    assert path.config == config.config == CONFIG and path.latency_ms.median > 0
    assert (path.task, path.engine, path.threads, path.scope, path.size) == ('classification', 'eager', 1, 'net',
                                                                            '32x32')
    record, = lcvision.measure(CONFIG, input_size=(64, 96), **SHORT)
    assert record.size == '64x96' and record.macs > path.macs


@pytest.mark.parametrize(('wrong', 'words'), [
    (dict(engine='tensorrt'), "unknown engine 'tensorrt'"), (dict(threads=10_000), 'cannot run at once'),
    (dict(scope='all'), "unknown scope 'all'"), (dict(samples=0), 'samples is a whole number'),
    (dict(precision='fp8'), 'fp8'), (dict(configs='none.py'), 'no config file none.py')])
def test_mistakes_are_user_errors(wrong, words):
    with pytest.raises(lcvision.UserError, match=words):
        lcvision.measure(**{'configs': CONFIG, **SHORT, **wrong})
