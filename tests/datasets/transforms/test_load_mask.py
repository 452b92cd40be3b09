"""Masks are loaded as mmseg loads them; what mmseg lets pass or stumbles over is told."""
from pathlib import Path

import numpy as np
import pytest
from mmseg.datasets.transforms import LoadAnnotations
from PIL import Image

from lcvision.datasets.transforms import LoadImage, LoadMask
from lcvision.errors import UserError
from tests.datasets import street_like


@pytest.fixture
def sample(tmp_path):
    return dict(img_path=str(street_like.image(tmp_path / 'i.png')), label_map=None, reduce_zero_label=False,
                seg_map_path=str(street_like.mask(tmp_path / 'm.png', street_like.columns([0, 2, 255]))), seg_fields=[])


def message(sample, **kwargs):
    with pytest.raises(UserError) as error:
        LoadMask(**kwargs)(LoadImage()(sample))
    assert '\n' not in str(error.value) and sample['seg_map_path'] in str(error.value)
    return str(error.value)


@pytest.mark.parametrize('palette', [None, [(1, 2, 3), (4, 5, 6), (7, 8, 9)]])
@pytest.mark.parametrize('changes', [{}, dict(label_map={0: 1, 1: 255, 2: 0}), dict(reduce_zero_label=True)],
                         ids=['plain', 'mapped', 'reduced'])
def test_as_mmseg(sample, palette, changes):
    street_like.mask(Path(sample['seg_map_path']),
                     street_like.columns([0, 2, 255]), palette)
    sample.update(changes)
    ours, theirs = (step({**sample, 'seg_fields': []}) for step in (LoadMask(3), LoadAnnotations()))
    assert ours['gt_seg_map'].dtype == theirs['gt_seg_map'].dtype == np.uint8
    assert np.array_equal(ours['gt_seg_map'], theirs['gt_seg_map'])
    assert ours['seg_fields'] == theirs['seg_fields'] == ['gt_seg_map']


def test_a_label_that_is_no_class(sample):
    assert 'value 2,' in message(sample, num_classes=2)
    assert np.array_equal(LoadMask()(sample)['gt_seg_map'], street_like.columns([0, 2, 255]))


def test_the_meaning_may_change_from_sample_to_sample(sample):
    step = LoadMask(3)
    maps = [None, {0: 1, 2: 0}, None]
    found = [step({**sample, 'label_map': m, 'seg_fields': []})['gt_seg_map'][0, 0] for m in maps]
    assert found == [0, 1, 0]


def test_another_size_than_the_image(sample, tmp_path):
    street_like.mask(tmp_path / 'm.png', np.zeros((24, 48), np.uint8))
    text = message(sample)
    assert '48x24' in text and '40x24' in text and sample['img_path'] in text


def test_an_image_resized_before_does_not_matter(sample):
    sample = LoadImage()(sample)
    sample['img_shape'] = (12, 20)
    assert LoadMask(3)(sample)['gt_seg_map'].shape == street_like.SHAPE


@pytest.mark.parametrize('damage, said', [(lambda data: data[:-9], 'ends early'), (lambda data: b'', 'decoded'),
                                          (lambda data: b'no image', 'decoded')], ids=['torn', 'empty', 'text'])
def test_damage(sample, tmp_path, damage, said):
    path = tmp_path / 'm.png'
    path.write_bytes(damage(path.read_bytes()))
    assert said in message(sample)


def test_a_missing_file(sample, tmp_path):
    (tmp_path / 'm.png').unlink()
    assert 'No such file' in message(sample)


def test_sixteen_bits(sample, tmp_path):
    Image.fromarray(np.zeros(street_like.SHAPE, np.uint16)).save(tmp_path / 'm.png')
    assert '8 bits' in message(sample)


@pytest.mark.parametrize('wrong', [dict(num_classes=0), dict(num_classes=256), dict(ignore_index=256)])
def test_wrong_arguments(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LoadMask(**wrong)
