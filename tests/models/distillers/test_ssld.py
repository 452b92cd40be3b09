"""A student learns from a teacher without labels, and is the plain classifier all the while."""
import copy
import itertools
import math

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from PIL import Image
from torch.nn.functional import cross_entropy

from lcvision.cli.get_flops import count_config
from lcvision.deploy.network import raw_network
from lcvision.errors import UserError
from lcvision.models.distillers.ssld import dml_loss
from lcvision.weights import check_compatible
from tests.cli.conftest import call

CONFIG = 'configs/classification/pplcnet_0_5x_ssld.py'
CLASSES = 4


def classifier(classes=CLASSES, kind='mmpretrain.ImageClassifier', **more):
    init_default_scope('mmpretrain')
    head = dict(type='lcvision.PPLCNetHead', num_classes=classes, in_channels=128, expand_channels=32, dropout=0.)
    return dict(type=kind, backbone=dict(type='lcvision.PPLCNet', scale=0.25, out_indices=(3,)), head=head, **more)


def ssld(checkpoint=None, **more):
    init_cfg = dict(type='Pretrained', checkpoint=checkpoint and str(checkpoint))
    return MODELS.build(classifier(kind='lcvision.SSLD', teacher=classifier(init_cfg=init_cfg), **more))


def blobs(count, generator):
    """Noise with a bright square in the quarter of the image that is the class."""
    labels = torch.randint(CLASSES, (count,), generator=generator)
    images = torch.randn(count, 3, 32, 32, generator=generator) / 2
    for image, label in zip(images, labels):
        top, left = (16 * part + int(torch.randint(8, (), generator=generator)) for part in divmod(int(label), 2))
        image[:, top:top + 8, left:left + 8] += 2
    return images, labels


def fit(model, steps, loss_of, lr=0.05):
    optimizer = torch.optim.SGD(model.parameters(), lr, momentum=0.9, nesterov=True)
    for _ in range(steps):
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@pytest.fixture(scope='module')
def teacher_file(tmp_path_factory):
    """A teacher that knows the classes."""
    torch.manual_seed(1)
    generator = torch.Generator().manual_seed(1)
    model = MODELS.build(classifier()).train()
    model.init_weights()

    def loss_of():
        images, labels = blobs(32, generator)
        return cross_entropy(model(images, mode='tensor'), labels)

    fit(model, 60, loss_of)
    path = tmp_path_factory.mktemp('teacher') / 'teacher.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


def test_student_learns_without_labels(teacher_file):
    torch.manual_seed(1)
    generator = torch.Generator().manual_seed(1)
    model = ssld(teacher_file)
    model.init_weights()
    model.train()
    teacher = {name: value.clone() for name, value in model.teacher.state_dict().items()}
    logs = []

    def loss_of():
        # Samples as an unlabelled folder gives them.
        logs.append(model(blobs(32, generator)[0], [DataSample() for _ in range(32)], mode='loss'))
        return logs[-1]['loss']

    fit(model, 80, loss_of)
    loss, agreement = ([float(log[key].detach()) for log in logs] for key in ('loss', 'agreement'))
    assert sum(loss[-10:]) < 0.3 * sum(loss[:10])
    assert sum(agreement[:5]) / 5 < 60 < 85 < sum(agreement[-10:]) / 10
    assert all(torch.equal(value, teacher[name]) for name, value in model.teacher.state_dict().items())
    images, labels = blobs(200, generator)
    predicted = model.eval()(images, [DataSample() for _ in range(200)], mode='predict')
    accuracy = sum(int(sample.pred_label) == int(label) for sample, label in zip(predicted, labels)) / 200
    assert accuracy > 0.8, 'the student never saw a label, and its teacher has taught it nothing'


def test_checkpoints_and_copies_are_the_students(teacher_file):
    model, plain = ssld(teacher_file), MODELS.build(classifier())
    model.init_weights()
    assert model.teacher is not None and not model.teacher.training
    assert model.state_dict().keys() == plain.state_dict().keys()
    assert len(list(model.parameters())) == len(list(plain.parameters()))
    assert check_compatible(plain, model.state_dict(), 'distilled.pth') == []
    plain.load_state_dict(model.state_dict())
    image = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(plain.eval()(image), model.eval()(image))
    again = copy.deepcopy(model.train())
    assert again.teacher is model.teacher and not model.teacher.training
    assert not any(p.requires_grad for p in model.teacher.parameters())


def test_latency_is_the_students_and_needs_no_teacher():
    model, plain = ssld(), MODELS.build(classifier())
    plain.load_state_dict(model.state_dict())
    networks, image = [raw_network(m, (32, 32)) for m in (model, plain)], torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(networks[0](image)[0], networks[1](image)[0])
    counts = [count_config(config) for config in (CONFIG, CONFIG.replace('_ssld', ''))]
    assert counts[0]['params'] == counts[1]['params'] == 1_879_576
    assert counts[0]['macs'] == counts[1]['macs'] == 44_731_008


def test_loss_is_paddles():
    student, target = torch.randn(5, 7, dtype=torch.double), torch.randn(5, 7, dtype=torch.double)
    expected = 0.
    for p, q in zip(student.softmax(1).tolist(), target.softmax(1).tolist()):
        forth = sum(b * math.log((b + 1e-12) / (a + 1e-12)) for a, b in zip(p, q))
        back = sum(a * math.log((a + 1e-12) / (b + 1e-12)) for a, b in zip(p, q))
        expected += (forth + back) / 2 / 5
    assert float(dml_loss(student, target)) == pytest.approx(expected, rel=1e-5)
    assert float(dml_loss(student, student)) == 0
    assert torch.allclose(dml_loss(student, target), dml_loss(target, student))
    # Certain and opposite: the epsilon keeps it finite.
    assert float(dml_loss(torch.tensor([[1e4, 0.]]), torch.tensor([[0., 1e4]]))) == pytest.approx(-math.log(1e-12))


def test_teacher_without_init_cfg_is_random_and_works():
    model = MODELS.build(classifier(kind='lcvision.SSLD', teacher=classifier()))
    model.init_weights()
    loss = model(torch.randn(2, 3, 32, 32), mode='loss')['loss']
    loss.backward()
    assert loss > 0 and all(p.grad.isfinite().all() for p in model.parameters())


def test_missing_checkpoint_is_told_before_training():
    model = ssld()
    with pytest.raises(UserError, match=r'model\.teacher\.init_cfg\.checkpoint=FILE'):
        model.init_weights()
    with pytest.raises(UserError, match=r'There is no weights file nowhere\.pth'):
        ssld('nowhere.pth').init_weights()


def test_checkpoint_of_another_model_is_refused(tmp_path, teacher_file):
    path = tmp_path / 'other.pth'
    torch.save(MODELS.build(classifier(5)).state_dict(), path)
    with pytest.raises(UserError, match='another number of classes'):
        ssld(path).init_weights()
    torch.save(dict(state_dict={'backbone.x': torch.ones(1)}), path)
    with pytest.raises(UserError, match='checkpoint of another model'):
        ssld(path).init_weights()


def test_teacher_of_other_classes_is_told():
    model = MODELS.build(classifier(kind='lcvision.SSLD', teacher=classifier(5)))
    with pytest.raises(UserError, match=r'shape \(2, 5\) and the student with \(2, 4\)'):
        model(torch.randn(2, 3, 32, 32), mode='loss')


@pytest.mark.parametrize('teacher, text', [
    (None, 'teacher=None must be the config'), ({}, 'must be the config of a classifier'),
    (dict(type='ImageClassifier', init_cfg=dict(type='Kaiming')), 'must be None or'),
    (dict(type='ImageClassifier', init_cfg=dict(type='Pretrained', checkpoint='a', prefix='b')), 'must be None or')])
def test_wrong_teacher_is_explained(teacher, text):
    with pytest.raises(ValueError, match=text):
        MODELS.build(classifier(kind='lcvision.SSLD', teacher=teacher))


def test_configs_teach_the_networks_of_their_names():
    for width, scale in (('0_5x', 0.5), ('1x', 1.0), ('2_5x', 2.5)):
        ours, plain = (Config.fromfile(f'configs/classification/pplcnet_{width}{end}.py') for end in ('_ssld', ''))
        assert ours.model.backbone == plain.model.backbone and ours.model.backbone.scale == scale
        assert ours.model.head.in_channels == plain.model.head.in_channels
        assert issubclass(MODELS.get(ours.model.type), ImageClassifier)
        assert ours.train_dataloader.dataset.dataset.type == plain.train_dataloader.dataset.type
        steps = ours.param_scheduler[-1]
        assert ours.train_cfg.max_epochs == steps.T_max == steps.end == (100 if scale == 2.5 else 200)


def test_training_without_a_teacher_ends_with_a_sentence(tmp_path):
    for split, name in itertools.product(('train', 'val'), 'ab'):
        folder = tmp_path / 'data' / split / name
        folder.mkdir(parents=True)
        for index in range(2):
            Image.new('RGB', (40, 32), (80 * index, 99, 0)).save(folder / f'{index}.png')
    done = call('train', CONFIG, '--data', str(tmp_path / 'data'), '--work-dir', str(tmp_path / 'run'),
                '--memory-format', 'contiguous', '--cfg-options', 'train_dataloader.batch_size=2')
    assert done.returncode == 2 and 'the teacher has no weights' in done.stderr
