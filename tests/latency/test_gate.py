import pytest
import torch

from lcvision.latency.gate import TOLERANCES, compare_outputs


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
