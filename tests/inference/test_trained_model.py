"""Checkpoints and the classes they know."""
import os

import pytest
import torch
from safetensors.torch import save_file

from lcvision.errors import UserError
from lcvision.inference.trained_model import config_meta, load_trained
from tests.inference.small_models import CLASSIFIER, DETECTORS, SEGMENTOR, save, shaken_model, small_config

NUM_CLASSES = {CLASSIFIER: 'model.head.num_classes', SEGMENTOR: 'model.decode_head.num_classes',
               **dict.fromkeys(DETECTORS, 'model.bbox_head.num_classes')}


@pytest.mark.parametrize('name', NUM_CLASSES)
def test_the_checkpoint_says_how_many_classes(name, tmp_path):
    model = shaken_model(small_config(name, **{NUM_CLASSES[name]: 4}))
    meta = dict(classes=['ant', 'bee', 'cow', 'dog'], palette=[[1, 2, 3]] * 4)
    config = small_config(name)
    before = config.pretty_text
    loaded, found = load_trained(config, save(model, tmp_path / 'model.pth', dataset_meta=meta))
    assert found == dict(classes=('ant', 'bee', 'cow', 'dog'), palette=[[1, 2, 3]] * 4)
    assert config.pretty_text == before and not loaded.training
    expected = model.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in loaded.state_dict().items())


def test_names_come_from_the_data_set_where_they_fit(tmp_path):
    config = small_config(CLASSIFIER, **{'model.head.num_classes': 1000})
    assert config_meta(config)['classes'][0].startswith('tench')
    model = shaken_model(config)
    # Names of another number of classes are no names of these.
    path = save(model, tmp_path / 'model.pth', dataset_meta=dict(classes=['one']))
    assert load_trained(config, path)[1]['classes'][1].startswith('goldfish')
    weights = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(weights, tmp_path / 'model.safetensors')
    assert len(load_trained(config, tmp_path / 'model.safetensors')[1]['classes']) == 1000
    assert config_meta(small_config(SEGMENTOR))['classes'][:2] == ('road', 'sidewalk')
    assert config_meta(small_config(DETECTORS[0]))['classes'] == tuple(f'class {i}' for i in range(7))
    named = small_config(DETECTORS[0], **{'test_dataloader.dataset.metainfo': dict(classes=list('tuvwxyz'))})
    assert config_meta(named)['classes'] == tuple('tuvwxyz')


def test_a_data_set_that_is_a_class_or_unknown(tmp_path):
    from mmpretrain.datasets import ImageNet
    config = small_config(CLASSIFIER, **{'model.head.num_classes': 1000})
    for kind, name in ((ImageNet, 'tench, Tinca tinca'), ('nowhere.Nothing', 'class 0'), ('os.path.join', 'class 0'),
                       (5, 'class 0'), ('.x', 'class 0')):
        for loader in ('test_dataloader', 'val_dataloader', 'train_dataloader'):
            config[loader].dataset.type = kind
        assert config_meta(config)['classes'][0] == name
    for loader in ('test_dataloader', 'val_dataloader', 'train_dataloader'):
        config[loader].dataset = [1]
    assert config_meta(config)['classes'][0] == 'class 0'


def test_a_checkpoint_of_another_model_is_one_sentence(tmp_path):
    path = save(shaken_model(small_config(DETECTORS[0])), tmp_path / 'detector.pth')
    with pytest.raises(UserError, match=r'detector\.pth is a checkpoint of another model') as told:
        load_trained(small_config(DETECTORS[1]), path)
    assert '\n' not in str(told.value)
    with pytest.raises(UserError, match='another model'):
        load_trained(small_config(CLASSIFIER), path)


@pytest.mark.parametrize('reg_max', [3, 15])
@pytest.mark.parametrize('name', DETECTORS)
def test_boxes_of_another_reg_max_are_no_classes(name, reg_max, tmp_path):
    model = shaken_model(small_config(name, **{'model.bbox_head.reg_max': reg_max}))
    path = save(model, tmp_path / 'model.pth', dataset_meta=dict(classes=list('tuvwxyz')))
    bins = 4 * (reg_max + 1), 4 * 8
    file, own = bins if name == DETECTORS[2] else (7 + count for count in bins)
    with pytest.raises(UserError, match=rf'predictors\.0\.weight is {file}x32x1x1 in the file and {own}x32x1x1 in the'):
        load_trained(small_config(name), path)


def test_a_checkpoint_is_read_as_data(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f'touch {tmp_path / "sentinel"}',)

    torch.save({'state_dict': {'x': Evil()}}, tmp_path / 'evil.pth')
    with pytest.raises(UserError, match='asks to run'):
        load_trained(small_config(CLASSIFIER), tmp_path / 'evil.pth')
    assert not (tmp_path / 'sentinel').exists()


def test_counters_of_norms_may_be_missing(tmp_path):
    config = small_config(CLASSIFIER)
    model = shaken_model(config)
    state = {key: value for key, value in model.state_dict().items() if not key.endswith('num_batches_tracked')}
    torch.save(state, tmp_path / 'plain.pth')
    loaded = load_trained(config, tmp_path / 'plain.pth')[0].state_dict()
    assert all(torch.equal(value, loaded[key]) for key, value in state.items())
