import pytest
import torch

from lcvision.latency.gate import TOLERANCES, allowed_difference, compare_outputs, objection
from tests.latency.small_net import small_net


def test_equal_outputs():
    x = torch.randn(2, 3)
    assert compare_outputs((x,), (x.clone(),)) == (0, 0)


def test_the_worst_tensor_counts_against_its_own_magnitude():
    reference = (torch.tensor([100., -200.]), torch.tensor([0.01, 0.]))
    outputs = (torch.tensor([100., -200.1]), torch.tensor([0.011, 0.]))
    absolute, relative = compare_outputs(outputs, reference)
    assert absolute == pytest.approx(0.1, rel=1e-3)
    assert relative == pytest.approx(0.1, rel=1e-3)
    assert relative > TOLERANCES['fp32']


@pytest.mark.parametrize('wrong', [(torch.ones(2),) * 2, (torch.ones(3),), (torch.tensor([1., float('nan')]),), ()])
def test_wrong_number_shape_or_values(wrong):
    assert compare_outputs(wrong, (torch.ones(2),)) == (float('inf'),) * 2


def test_nan_on_both_sides_is_no_agreement():
    nan = torch.tensor([float('nan')])
    assert compare_outputs((nan,), (nan,))[1] == float('inf')


def test_all_zero_reference():
    assert compare_outputs((torch.zeros(2),), (torch.zeros(2),)) == (0, 0)
    assert compare_outputs((torch.full((2,), 1e-3),), (torch.zeros(2),))[1] > 1


def test_in_float32_the_tolerance_is_fixed():
    assert allowed_difference(small_net(), torch.randn(1, 3, 8, 8), 'fp32') == TOLERANCES['fp32']


def test_in_bfloat16_the_network_itself_is_the_yardstick():
    network, x = small_net(), torch.randn(1, 3, 8, 8)
    assert allowed_difference(network, x, 'bf16') == TOLERANCES['bf16']

    class Amplifying(torch.nn.Module):
        def forward(self, x):
            return ((x + 1000) - 1000,)

    assert allowed_difference(Amplifying(), x, 'bf16') > 10 * TOLERANCES['bf16']


def test_objection():
    assert objection(0.001, 0.001) is None
    assert 'differs from eager float32 by 0.5 of the largest magnitude, 0.02 is allowed' in objection(0.5, 0.02)
    assert objection(float('inf'), 0.02) and objection(float('nan'), 0.02)
