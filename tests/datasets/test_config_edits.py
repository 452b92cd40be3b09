"""Numbers of classes, and lists with a number for each class, anywhere in a model's config."""
import pytest
from mmengine.config import ConfigDict

from lcvision.datasets.sources.config_edits import set_num_classes


def model(**loss):
    return ConfigDict(
        decode_head=[dict(num_classes=3, in_channels=[8, 16, 32], loss_decode=[dict(type='A', **loss), dict(type='B')]),
                     dict(num_classes=3, sampler=dict(class_weight=[1., 2., 3.]), loss_decode=dict(type='A', **loss))],
        auxiliary_head=dict(num_classes=3, loss_decode=dict(type='A', **loss)), class_weight=None)


@pytest.mark.parametrize('given, expected', [
    ([1., 2., 3.], [1.] * 5), ([.5] * 3, [.5] * 5), ([2., 2., 2., .1], [2.] * 5 + [.1]), (.25, .25), (None, None)])
@pytest.mark.parametrize('key', ['class_weight', 'alpha', 'pos_weight'])
def test_class_weights_follow_the_number_of_classes(key, given, expected):
    cfg = model(**{key: given})
    set_num_classes(cfg, 5)
    losses = [cfg.decode_head[0].loss_decode[0], cfg.decode_head[1].loss_decode, cfg.auxiliary_head.loss_decode]
    assert [loss[key] for loss in losses] == [expected] * 3
    assert cfg.decode_head[1].sampler.class_weight == [1.] * 5 and cfg.decode_head[0].in_channels == [8, 16, 32]
    assert [head.num_classes for head in (*cfg.decode_head, cfg.auxiliary_head)] == [5] * 3


def test_weights_of_as_many_classes_are_kept_if_they_are_the_same():
    for other in (False, True):
        cfg = model(class_weight=[1., 2., 3.])
        set_num_classes(cfg, 3, other)
        assert cfg.auxiliary_head.loss_decode.class_weight == ([1.] * 3 if other else [1., 2., 3.])
