"""A training that ends before its schedule."""
from types import SimpleNamespace

from mmengine.runner import EpochBasedTrainLoop

from lcvision.engine.hooks.pause_hook import PauseHook


def test_a_run_pauses_after_its_epoch():
    hook, stopped = PauseHook(3), []
    for epoch in range(4):
        loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)
        loop.stop_training = False
        hook.after_train_epoch(SimpleNamespace(train_loop=loop, epoch=epoch))
        stopped.append(loop.stop_training)
    assert stopped == [False, False, True, True]
