"""Against torch's own mean, with ignored pixels, pixel weights and nothing to learn from."""
import pytest
import torch
from torch.nn.functional import cross_entropy

from lcvision.models.losses.class_weighted_cross_entropy import ClassWeightedCrossEntropy

WEIGHTS = [0.5, 2., 1.]


@pytest.fixture
def batch():
    labels = torch.randint(3, (2, 4, 5))
    labels[0, :2] = 255
    return torch.randn(2, 3, 4, 5, requires_grad=True), labels


def test_it_is_the_weighted_mean_of_the_pixels_that_count(batch):
    logits, labels = batch
    loss = ClassWeightedCrossEntropy(WEIGHTS, loss_weight=0.5)(logits, labels)
    expected = cross_entropy(logits, labels, torch.tensor(WEIGHTS), ignore_index=255)
    torch.testing.assert_close(loss, 0.5 * expected)
    loss.backward()
    assert logits.grad[0, :, :2].eq(0).all() and logits.grad[1].ne(0).all()


def test_weights_of_pixels_choose_them(batch):
    logits, labels = batch
    chosen = torch.zeros(2, 4, 5)
    chosen[1, 0] = 1
    loss = ClassWeightedCrossEntropy(WEIGHTS)(logits, labels, weight=chosen)
    expected = cross_entropy(logits[1:, :, :1], labels[1:, :1], torch.tensor(WEIGHTS))
    torch.testing.assert_close(loss, expected)


def test_nothing_to_learn_from_is_no_nan(batch):
    logits, labels = batch
    loss = ClassWeightedCrossEntropy(WEIGHTS)(logits, torch.full_like(labels, 255))
    loss.backward()
    assert loss == 0 and logits.grad.eq(0).all()


def test_half_precision_logits_lose_nothing(batch):
    logits, labels = batch
    assert ClassWeightedCrossEntropy(WEIGHTS)(logits.bfloat16(), labels).dtype == torch.float32


@pytest.mark.parametrize('weights', [[], [1., -1.], [0., 0.], [[1.]]])
def test_weights_are_checked(weights):
    with pytest.raises(ValueError, match='class_weight'):
        ClassWeightedCrossEntropy(weights)
