import pytest
import torch
from paddle_shaped import classifier, detector, pplcnet_0_25

from lcvision.errors import UserError
from lcvision.weights import check_compatible


def test_own_checkpoint():
    model = classifier()
    state = model.state_dict()
    assert check_compatible(model, state, 'x.pth') == []
    without_counters = {name: value for name, value in state.items() if not name.endswith('num_batches_tracked')}
    assert check_compatible(model, without_counters, 'x.pth', drop_class_layers=True) == []


def test_another_model_is_refused_with_the_first_names():
    with pytest.raises(UserError) as caught:
        check_compatible(detector('paper'), classifier().state_dict(), 'runs/x.pth')
    message = str(caught.value)
    assert message.startswith('runs/x.pth is a checkpoint of another model')
    assert 'missing (bbox_head.predictors.0.bias' in message
    assert '3 unexpected (head.expand.weight, head.fc.bias, head.fc.weight)' in message
    assert '\n' not in message and len(message) < 900


def test_shapes_are_printed():
    wide = detector('paper')
    wide.neck.laterals[0] = torch.nn.Conv2d(64, 32, 1)
    with pytest.raises(UserError, match=r'laterals\.0\.weight is 32x32x1x1 in the file and 32x64x1x1 in the model'):
        check_compatible(wide, detector('paper').state_dict(), 'x.pth', drop_class_layers=True)


@pytest.mark.parametrize(('build', 'layers'), [(lambda n: classifier(n), ['head.fc.weight', 'head.fc.bias']),
                                               (lambda n: detector('v2', n), ['bbox_head.predictors'])])
def test_another_number_of_classes(build, layers):
    model, state = build(4), build(80).state_dict()
    with pytest.raises(UserError, match='another number of classes'):
        check_compatible(model, dict(state), 'x.pth')
    changed = check_compatible(model, state, 'x.pth', drop_class_layers=True)
    assert changed and all(name.startswith(tuple(layers)) for name in changed)
    initial = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(state, strict=True)
    for name, value in model.state_dict().items():
        assert torch.equal(value, initial[name] if name in changed else state[name])


def test_more_than_classes_differ():
    state = classifier(80).state_dict()
    state['head.fc.bias'] = torch.zeros(79)
    with pytest.raises(UserError, match='another model'):
        check_compatible(classifier(10), state, 'x.pth', drop_class_layers=True)
    state = detector('v2', 80).state_dict()
    for name in [name for name in state if '.reg_predictors.' in name]:
        state[name] = state[name].repeat_interleave(2, 0)
    with pytest.raises(UserError, match=r'reg_predictors.*give the config it was trained with'):
        check_compatible(detector('v2', 80), state, 'x.pth', drop_class_layers=True)
    state = detector('paper', 80).state_dict()
    del state['neck.laterals.0.bias']
    with pytest.raises(UserError, match=r'1 missing \(neck\.laterals\.0\.bias\)'):
        check_compatible(detector('paper', 4), state, 'x.pth', drop_class_layers=True)


def test_a_backbone_alone_gets_the_right_advice():
    state = {f'backbone.{name}': value for name, value in pplcnet_0_25().state_dict().items()}
    with pytest.raises(UserError, match=r"Pretrained.*prefix='backbone'"):
        check_compatible(detector('paper'), state, 'x.safetensors')
