import math

import pytest
import torch
from torch import nn

from lcvision.deploy.network import build_model, example_input, raw_network
from lcvision.deploy.output_check import TOLERANCES, OutputCheck, objection, response_error
from lcvision.deploy.precision import deployed_network
from tests.inference.small_models import CLASSIFIER, OPTIONS, SEGMENTOR, small_config
from tests.latency.small_net import small_net

MODELS = [CLASSIFIER, 'detection/picodet_legacy_pplcnet_1x', 'detection/picodet_v2_xs_320', SEGMENTOR]
SIZE = (128, 128)


class Case:
    """A small model of one task with the check of its outputs."""

    def __init__(self, name):
        config = small_config(name)
        self.network = raw_network(build_model(config, input_size=SIZE), SIZE)
        self.example = example_input(SIZE)
        with torch.inference_mode():
            self.check = OutputCheck(self.network, self.example)

    def passes(self, run, precision='bf16'):
        with torch.inference_mode():
            return objection(self.check.difference(run, self.example)[1], precision) is None


@pytest.fixture(scope='module', params=MODELS)
def case(request):
    return Case(request.param)


def test_rounding_passes_and_no_more_than_its_precision_allows(case):
    fused, reduced = (deployed_network(case.network, case.example, precision) for precision in ('fp32', 'bf16'))
    assert case.passes(fused, 'fp32') and case.passes(reduced, 'bf16')
    assert not case.passes(reduced, 'fp32')


def zeros(case):
    return lambda x: [torch.zeros_like(y) for y in case.network(x)]


def the_same_for_every_input(case):
    outputs = [(a + b) / 2 for a, b in zip(case.network(example_input(SIZE)), case.network(torch.ones(1, 3, *SIZE)),
                                           strict=True)]
    return lambda x: outputs


def what_it_was_prepared_with(case):
    outputs = case.network(case.example)
    return lambda x: outputs


def noise(case):
    return lambda x: [y.mean() + y.std() * torch.randn(y.shape) for y in case.network(x)]


def one_output_for_another(case):
    """A map for the next of its shape, or the neighbouring channel's where there is one map alone."""
    return lambda x: [y.roll(1, 1) for y in case.network(x)]


def twice_as_much(case):
    return lambda x: [y * 2 for y in case.network(x)]


def one_zero_output(case):
    return lambda x: [*case.network(x)[:-1], case.network(x)[-1] * 0]


def without_activations(case):
    network = deployed_network(case.network, case.example, 'fp32')
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, (nn.Hardswish, nn.ReLU, nn.LeakyReLU)):
                setattr(module, name, nn.Identity())
    return network


@pytest.mark.parametrize('wrong', [zeros, the_same_for_every_input, what_it_was_prepared_with, noise,
                                   one_output_for_another, twice_as_much, one_zero_output, without_activations])
def test_what_is_wrong_passes_in_no_precision(case, wrong):
    run = wrong(case)
    assert not any(case.passes(run, precision) for precision in TOLERANCES)


@pytest.mark.parametrize('outputs', [[torch.zeros(2)], [torch.ones(2)] * 2, [torch.ones(3)],
                                     [torch.tensor([1., math.nan])], [torch.tensor([1., math.inf])], []])
def test_wrong_number_shape_or_values(outputs):
    x = example_input((4, 4))
    check = OutputCheck(lambda x: [x.mean((0, 2, 3))[:2]], x)
    assert check.difference(lambda x: [x.mean((0, 2, 3))[:2]], x) == (0, 0)
    assert objection(check.difference(lambda x: outputs, x)[1], 'bf16')


def test_outputs_that_tell_nothing_are_refused():
    x = example_input((4, 4))
    for constant in (torch.zeros(2), torch.tensor([math.nan])):
        check = OutputCheck(lambda x, constant=constant: [constant], x)
        assert check.difference(lambda x, y=constant: [y], x)[1] == math.inf
    assert OutputCheck(lambda x: [], x).difference(lambda x: [], x)[1] == math.inf


@pytest.mark.parametrize('precision', TOLERANCES)
def test_a_network_of_biases_alone_may_be_measured_and_zeros_are_refused_still(precision):
    """As after the first steps of a training, when the norms' statistics are not yet those of any map."""
    x, bias = example_input((4, 4)), torch.tensor([-4.6, 0.3])
    check = OutputCheck(lambda x: [bias + 1e-7 * x.mean((0, 2, 3))[:2]], x)
    for outputs, right in ((bias, True), (bias * 0, False), (bias.flip(0), False), (bias * 1.1, False)):
        assert (objection(check.difference(lambda x, y=outputs: [y], x)[1], precision) is None) is right


def test_a_bias_hides_no_error():
    expected = torch.tensor([[100., 100.], [110., 100.]]).double()
    assert response_error(expected + torch.tensor([0., 0.1]), expected) == pytest.approx(2 ** 0.5 / 100, rel=1e-5)


def test_the_engine_is_run_with_the_kind_of_input_that_it_was_prepared_for():
    network, seen = small_net(), []

    def run(x):
        seen.append((x.is_contiguous(memory_format=torch.channels_last), x.is_inference()))
        return network(x)

    example = example_input((16, 24)).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        OutputCheck(network, example_input((16, 24))).difference(run, example)
        OutputCheck(network, example_input((16, 24))).difference(run, example.clone())
    assert seen == [(True, False)] * 2 + [(True, True)] * 2


def test_objection():
    assert objection(0.001, 'fp32') is None and objection(0.4, 'bf16') is None
    assert 'differs from eager float32 by 0.5 of what it owes to the input, 0.4 is allowed in bf16' in objection(
        0.5, 'bf16')
    assert 'not finite, all zero, or differ in number' in objection(math.inf, 'bf16')
    assert objection(math.nan, 'bf16')


def test_every_kind_of_model_is_among_those_tried():
    assert {name.split('/')[0] for name in MODELS} == {name.split('/')[0] for name in OPTIONS}
