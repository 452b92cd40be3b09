"""--data and the config's own data for segmentation: what the config then says, what is loaded, what is told."""
import numpy as np
import pytest
import street_like
from mmengine.config import Config
from PIL import Image

from lcvision.datasets.sample.sets import RENDERERS, render_segmentation_sample
from lcvision.datasets.sources import check_source, use_source
from lcvision.deploy.input_size import find_input_size
from tests.datasets.loading import load
from tests.mistakes import message

CONFIG = 'configs/segmentation/deeplabv3plus_pplcnet_0_5x.py'


@pytest.fixture
def cfg():
    return Config.fromfile(CONFIG)


def mask_of(root, split='val'):
    return sorted((root / 'gtFine' / split).rglob('*.png'))[1]


@pytest.mark.parametrize('ending, masks, values, labels', [
    ('png', 'labelTrainIds', (0, 13, 255), {0, 13, 255}), ('jpg', 'labelTrainIds', (0, 13, 255), {0, 13, 255}),
    ('png', 'labelIds', (7, 26, 0), {0, 13, 255}), ('jpg', 'labelIds', (7, 26, 33), {0, 13, 18})])
@pytest.mark.parametrize('name', ['train', 'val', 'test'])
def test_cityscapes_is_read(cfg, tmp_path, name, ending, masks, values, labels):
    split = use_source(cfg, str(street_like.cityscapes(tmp_path, ending, masks, values)), train=True)
    assert split.num_images == 2 and len(split.classes) == 19 and split.classes[13] == 'car'
    assert cfg.model.decode_head.num_classes == 19
    loader = load(cfg, name)
    assert len(loader.dataset) == 2
    found = {int(value) for sample in next(iter(loader))['data_samples'] for value in
             sample.gt_sem_seg.data.unique()}
    assert found <= labels | {255} if name == 'train' else found == labels


@pytest.mark.parametrize('splits', [('train', 'val'), ()])
def test_pairs_are_read(cfg, tmp_path, splits):
    split = use_source(cfg, str(street_like.pairs(tmp_path, splits=splits, count=5)), train=True)
    assert split.classes == ('road', 'car', 'traffic light') and cfg.model.decode_head.num_classes == 3
    assert split.num_images == len(load(cfg, 'train').dataset) == (5 if splits else 4)
    sample = next(iter(load(cfg, 'val')))['data_samples'][0]
    assert set(sample.gt_sem_seg.data.unique().tolist()) == {0, 1, 2, 255}
    assert len(load(cfg, 'val').dataset.metainfo['palette']) == 3


def test_the_loading_step_learns_the_classes(cfg, tmp_path):
    use_source(cfg, str(street_like.pairs(tmp_path)), train=True)
    # Written after the check.
    for path in (tmp_path / 'masks').rglob('*.png'):
        street_like.mask(path, 3)
    for name in ('train', 'val'):
        text = message(lambda name=name: next(iter(load(cfg, name))))
        assert str(tmp_path / 'masks' / name) in text and 'value 3,' in text and '0..2' in text


def test_images_are_evaluated_as_they_are_and_their_size_is_known(cfg, tmp_path):
    use_source(cfg, str(street_like.cityscapes(tmp_path)), train=False)
    batch = next(iter(load(cfg, 'test')))
    assert batch['inputs'][0].shape == (3, *street_like.SHAPE)
    assert find_input_size(cfg) == street_like.SHAPE and cfg.image_size == street_like.SHAPE[::-1]


def test_images_of_different_sizes_are_evaluated_one_by_one(cfg, tmp_path):
    street_like.cityscapes(tmp_path)
    for name in ('val', 'test'):
        cfg[f'{name}_dataloader'].batch_size = 2
    use_source(cfg, str(tmp_path), train=True)
    assert cfg.val_dataloader.batch_size == 2
    street_like.mask(mask_of(tmp_path), np.zeros((16, 16), np.uint8))
    street_like.image(sorted((tmp_path / 'leftImg8bit/val').rglob('*.png'))[1], (16, 16))
    use_source(cfg, str(tmp_path), train=True)
    assert cfg.val_dataloader.batch_size == cfg.test_dataloader.batch_size == 1
    assert [batch['inputs'][0].shape[1:] for batch in load(cfg, 'val')] == [street_like.SHAPE, (16, 16)]


def test_crops_are_no_larger_than_the_images(cfg, tmp_path):
    use_source(cfg, str(street_like.cityscapes(tmp_path)), train=True)
    assert {image.shape for image in next(iter(load(cfg, 'train')))['inputs']} == {(3, *street_like.SHAPE)}
    steps = {step['type']: step for step in cfg.train_dataloader.dataset.pipeline}
    assert steps['RandomCrop']['crop_size'] == street_like.SHAPE and steps['Pad']['size'] == street_like.SHAPE[::-1]


def camvid(**steps):
    cfg = Config.fromfile('configs/segmentation/deeplabv3plus_pplcnet_0_5x_camvid.py')
    cfg.train_dataloader.dataset.pipeline[2:3] = [dict(type=name, **keys) for name, keys in steps.items()] or (
        cfg.train_dataloader.dataset.pipeline[2:3])
    return cfg


def test_training_sees_the_resolution_that_is_evaluated(tmp_path):
    street_like.cityscapes(tmp_path)
    cfg = camvid()
    for step in cfg.train_dataloader.dataset.pipeline:
        step.pop('ratio_range', None)
    cfg.train_dataloader.dataset.pipeline[2].update(ratio_range=(1., 1.))
    use_source(cfg, str(tmp_path), train=True)
    sample = load(cfg, 'train').dataset[0]['data_samples']
    assert sample.scale_factor == (1., 1.) and cfg.image_size == street_like.SHAPE[::-1]


def test_a_config_for_images_of_another_size_does_what_it_did(tmp_path):
    street_like.cityscapes(tmp_path)
    cfg = camvid(Resize=dict(scale=(240, 180)), RandomChoiceResize=dict(scales=[(480, 360), (960, 720)]))
    use_source(cfg, str(tmp_path), train=True)
    steps = {step['type']: step for step in cfg.train_dataloader.dataset.pipeline}
    assert steps['Resize']['scale'] == (20, 12) and steps['RandomChoiceResize']['scales'] == [(40, 24), (80, 48)]
    assert steps['RandomCrop']['crop_size'] == street_like.SHAPE


def test_what_cannot_be_adapted_is_told(tmp_path):
    street_like.cityscapes(tmp_path)
    text = message(use_source, camvid(SomeStep=dict(scale=(9, 9))), str(tmp_path), train=True)
    assert 'SomeStep has scale=(9, 9)' in text and '40x24' in text and 'image_size' in text


def test_class_weights_of_other_classes_are_not_kept(tmp_path):
    cfg = camvid()
    weights = list(cfg.model.decode_head.loss_decode.class_weight)
    use_source(cfg, str(street_like.cityscapes(tmp_path / 'city')), train=True)
    assert cfg.model.decode_head.loss_decode.class_weight == weights
    use_source(cfg, str(street_like.pairs(tmp_path / 'pairs')), train=True)
    assert cfg.model.decode_head.loss_decode.class_weight == [1.] * 3
    cfg = camvid()
    names = ''.join(f'class {index}\n' for index in range(19))
    use_source(cfg, str(street_like.pairs(tmp_path / 'other', classes=names, values=range(19))), train=True)
    assert cfg.model.decode_head.loss_decode.class_weight == [1.] * 19


@pytest.mark.parametrize('own', [False, True])
def test_a_class_without_a_pixel_is_told(cfg, tmp_path, monkeypatch, own):
    told = []
    monkeypatch.setattr('lcvision.datasets.sources.segmentation.print_log', lambda text, **_: told.append(text))
    if own:
        check_source(own_data(cfg, street_like.cityscapes(tmp_path, values=[*range(17), 255])), train=True)
    else:
        use_source(cfg, str(street_like.pairs(tmp_path, values=(0, 2))), train=True)
    assert len(told) == 1 and str(tmp_path) in told[0]
    assert ('motorcycle, bicycle: 2 of 19 classes' if own else 'car: 1 of 3 classes') in told[0]


@pytest.mark.parametrize('values, classes', [((0, 255), 'road\ncar'), ((0, 1, 255), 'road\ncar\nbus'),
                                             ((0, 255), 'road 0 0 0\ncar 255 0 0'), ([(0,) * 3, (255,) * 3], 'a\nb')])
def test_255_for_a_class_is_refused_with_the_remedy(cfg, tmp_path, values, classes):
    street_like.pairs(tmp_path, values=values, classes=classes)
    text = message(use_source, cfg, str(tmp_path), train=True)
    assert 'the value 255' in text and 'classes.txt' in text and '255 255 255' in text
    names = [line.split()[0] for line in classes.splitlines()]
    remedies = [[*range(len(names) - 1), 255], [*range(len(names))]]
    for greys in remedies:
        lines = [f'{name} {grey} {grey} {grey}' for name, grey in zip(names, greys)]
        ignored = [] if 255 in greys else ['ignore 255 255 255']
        (tmp_path / 'classes.txt').write_text('\n'.join(lines + ignored))
        use_source(Config.fromfile(CONFIG), str(tmp_path), train=True)


def test_without_training_the_training_split_is_not_needed(cfg, tmp_path):
    street_like.cityscapes(tmp_path, splits=('val',))
    before = cfg.train_dataloader.to_dict()
    assert use_source(cfg, str(tmp_path), train=False).num_images == 2
    assert cfg.train_dataloader.to_dict() == before
    assert str(tmp_path / 'leftImg8bit/train') in message(use_source, cfg, str(tmp_path), train=True)


def test_a_folder_in_neither_layout_is_told_both(cfg, tmp_path):
    (tmp_path / 'annotations').mkdir()
    text = message(use_source, cfg, str(tmp_path), train=True)
    assert str(tmp_path) in text
    for word in ('leftImg8bit/', 'gtFine/', 'labelTrainIds.png', 'labelIds.png', 'images/', 'masks/', 'classes.txt'):
        assert word in text


FAULTS = {
    'size': (lambda path: street_like.mask(path, np.zeros((24, 41), np.uint8)), ['41x24', '40x24']),
    'value': (lambda path: street_like.mask(path, 19), ['value 19,', '0..18']),
    'missing': (lambda path: path.unlink(), ['1 of 2 images', 'no mask']),
    'deep': (lambda path: Image.fromarray(np.zeros(street_like.SHAPE, np.uint16)).save(path), ['8 bits']),
    'torn': (lambda path: path.write_bytes(path.read_bytes()[:-30]), ['ends early']),
    'text': (lambda path: path.write_text('mask'), ['decoded']),
}


@pytest.mark.parametrize('split', ['train', 'val'])
@pytest.mark.parametrize('fault', FAULTS)
def test_wrong_masks_are_named(cfg, tmp_path, split, fault):
    street_like.cityscapes(tmp_path)
    path = mask_of(tmp_path, split)
    spoil, words = FAULTS[fault]
    spoil(path)
    for source in ('--data', 'own'):
        text = (message(use_source, cfg, str(tmp_path), train=True) if source == '--data' else
                message(check_source, own_data(cfg, tmp_path), train=True))
        for word in (str(path), *words):
            assert word in text


@pytest.mark.parametrize('split', ['train', 'val'])
def test_an_empty_split_is_named(cfg, tmp_path, split):
    for root in (street_like.cityscapes(tmp_path / 'city'), street_like.pairs(tmp_path / 'pairs')):
        for path in [p for p in root.rglob('*') if split in p.parts and p.suffix in ('.png', '.jpg')]:
            path.unlink()
        text = message(use_source, cfg, str(root), train=True)
        assert 'is empty' in text and split in text and str(root) in text


def own_data(cfg, root):
    """Makes the folder the config's own data."""
    for name in ('train', 'val', 'test'):
        cfg[f'{name}_dataloader'].dataset.data_root = str(root)
    return cfg


@pytest.mark.parametrize('ending, masks', [('png', 'labelTrainIds'), ('jpg', 'labelIds')])
@pytest.mark.parametrize('name, train', [('train', True), ('test', False)])
def test_own_data_is_checked_and_read(cfg, tmp_path, ending, masks, name, train):
    own_data(cfg, street_like.cityscapes(tmp_path, ending, masks))
    assert check_source(cfg, train=train) == 2
    assert cfg.image_size == street_like.SHAPE[::-1] and len(load(cfg, name).dataset) == 2


@pytest.mark.parametrize('train, split', [(True, 'train'), (False, 'val')])
def test_own_data_that_is_missing_is_told_with_the_ways_out(cfg, tmp_path, monkeypatch, train, split):
    monkeypatch.chdir(tmp_path)
    text = message(check_source, cfg, train=train)
    assert str(tmp_path / 'data' / 'cityscapes') in text and f'leftImg8bit/{split}' in text
    assert '--data DIR' in text and '--data sample' in text


def test_own_data_of_another_kind_is_checked(cfg, tmp_path):
    street_like.pairs(tmp_path, values=(0, 1, 2))
    for name in ('train', 'val', 'test'):
        split = 'train' if name == 'train' else 'val'
        dataset = cfg[f'{name}_dataloader'].dataset
        dataset.update(type='BaseSegDataset', data_root=str(tmp_path), reduce_zero_label=True,
                       data_prefix=dict(img_path=f'images/{split}', seg_map_path=f'masks/{split}'),
                       metainfo=dict(classes=('road', 'car'), palette=[[1, 2, 3], [4, 5, 6]]))
    assert check_source(cfg, train=True) == 2
    labels = next(iter(load(cfg, 'val')))['data_samples'][0].gt_sem_seg.data.unique()
    assert labels.tolist() == [0, 1, 255]
    street_like.mask(tmp_path / 'masks/val/1.png', 3)
    assert str(tmp_path / 'masks/val/1.png') in message(check_source, cfg, train=True)


def test_sample_is_rendered_where_the_user_stands(cfg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(RENDERERS, 'segmentation', lambda root: render_segmentation_sample(root, 3, 2))
    assert use_source(cfg, 'sample', train=True).num_images == 3
    assert (tmp_path / 'data/sample/segmentation/masks/val').is_dir() and len(load(cfg, 'val').dataset) == 2
    assert cfg.image_size == (384, 256) and cfg.model.decode_head.num_classes == 9


def test_a_test_knows_the_training_masks_but_needs_none(cfg, tmp_path):
    root = street_like.cityscapes(tmp_path)
    use_source(cfg, str(root), train=False)
    assert len(load(cfg, 'train').dataset) == 2
    (root / 'leftImg8bit' / 'train').rename(root / 'leftImg8bit' / 'other')
    assert use_source(cfg, str(root), train=False).num_images == 2
