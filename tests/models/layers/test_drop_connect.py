"""Drop-connect that scales at inference."""
import pytest
import torch

from lcvision.models.layers import DropConnect


def test_training_drops_whole_images_without_scaling():
    kept = DropConnect(0.3).train()(torch.ones(2000, 2, 3, 1)).flatten(1)
    assert ((kept == 0).all(1) | (kept == 1).all(1)).all()
    assert kept.mean().item() == pytest.approx(0.7, abs=0.05)


def test_inference_scales_to_the_same_mean():
    x = torch.randn(3, 2, 4, 4)
    torch.testing.assert_close(DropConnect(0.3).eval()(x), 0.7 * x)


def test_nothing_dropped_is_nothing_changed():
    x = torch.randn(3, 2, 4, 4)
    assert torch.equal(DropConnect(0).train()(x), x) and torch.equal(DropConnect(0).eval()(x), x)


@pytest.mark.parametrize('wrong', [-0.1, 1, 2.0])
def test_wrong_share_is_explained(wrong):
    with pytest.raises(ValueError, match=rf'DropConnect: drop_prob={wrong} must lie in 0\.\.1'):
        DropConnect(wrong)
