import torch

from lcvision.deploy.nesting import flatten, nest, nesting_of


def test_outputs_come_apart_and_together_again():
    a, b, c = torch.zeros(1), torch.ones(1), torch.full((1,), 2.)
    outputs = ([a, None], dict(x=(b,)), c)
    assert flatten(outputs) == (a, b, c)
    nesting = nesting_of(outputs)
    assert nesting == [[0, None], {'x': [1]}, 2]
    assert nest(nesting, [c, a, b]) == [[c, None], {'x': [a]}, b]
    assert nest(nesting_of(a), (b,)) is b
