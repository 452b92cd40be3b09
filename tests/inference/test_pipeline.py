"""One engine's network for each size of input."""
import gc
import weakref

import pytest
import torch
from torch import nn

from lcvision.deploy.engines import ENGINES, Engine, Prepared
from lcvision.deploy.engines.best import BestEngine
from lcvision.inference.pipeline import SizedNetworks

SIDES = (32, 64, 96, 128, 160, 32, 192)


class Counting(Engine):
    name = 'counting'

    def __init__(self):
        self.sizes = []
        self.made = weakref.WeakSet()

    def missing(self):
        return None

    def prepare(self, network, example, *, precision, threads):
        self.sizes.append(example.shape[2])
        self.made.add(example)
        return Prepared(lambda x: (network(x),), example, 0.)


class Best(BestEngine):
    """Takes the first candidate unseen."""

    def prepare(self, network, example, *, precision, threads):
        prepared = self.candidates['counting'].prepare(network, example, precision=precision, threads=threads)
        prepared.engine = 'counting'
        return prepared


@pytest.fixture
def network():
    return nn.Conv2d(3, 2, 1).eval()


def run(networks, sides=SIDES):
    with torch.inference_mode():
        for side in sides:
            prepared = networks((side, 64))
            assert prepared.run(prepared.example)[0].shape[-2:] == (side, 64)


def test_an_engine_that_is_asked_for_runs_every_size(network, monkeypatch):
    told = []
    monkeypatch.setattr('lcvision.inference.pipeline.print_log', lambda text, **kwargs: told.append(text))
    engine = Counting()
    networks = SizedNetworks(network, engine, 'fp32', 1)
    run(networks, SIDES[:4] * 2)
    assert engine.sizes == [32, 64, 96, 128] and not told
    run(networks, SIDES[4:] * 2)
    assert engine.sizes == [32, 64, 96, 128, 160, 32, 192], 'the last four sizes stay'
    assert networks.engine_name == 'counting'
    text, = told
    assert 'counting is prepared for each of them' in text


def test_best_takes_eager_for_further_sizes_and_says_so(network, tmp_path):
    engine = Counting()
    networks = SizedNetworks(network, Best([engine, ENGINES['eager']], cache={}), 'fp32', 1)
    assert networks.engine_name == 'best'
    run(networks, SIDES[:4])
    assert networks.engine_name == 'counting'
    run(networks)
    assert engine.sizes == [32, 64, 96, 128] and networks.engine_name == 'counting and eager'


@pytest.mark.parametrize('name', ['counting', 'eager'])
def test_sizes_that_are_gone_leave_nothing(name, network):
    engine = Counting() if name == 'counting' else ENGINES['eager']
    networks = SizedNetworks(network, engine, 'fp32', 1)
    run(networks, range(8, 16))

    def tensors():
        gc.collect()
        return sum(1 for thing in gc.get_objects() if type(thing) is torch.Tensor)

    before = tensors()
    run(networks, range(16, 60))
    assert tensors() <= before
    assert networks.engine_name == name
