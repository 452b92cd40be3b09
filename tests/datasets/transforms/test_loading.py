"""Images and masks are loaded as mmcv and mmseg load them; what these let pass or stumble over is a sentence."""
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from mmengine.registry import TRANSFORMS
from mmseg.datasets.transforms import LoadAnnotations
from PIL import Image

from lcvision.datasets.transforms import LoadAnyImage, LoadImage, LoadMask
from lcvision.errors import UserError
from tests.datasets import street_like


@pytest.fixture
def picture():
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (5, 5), 2)


def encoded(picture, extension):
    return cv2.imencode(extension, picture)[1].tobytes()


def load(path, **kwargs):
    return LoadImage(**kwargs)({'img_path': str(path)})


@pytest.mark.parametrize('extension', ['.jpg', '.png', '.bmp', '.webp'])
@pytest.mark.parametrize('options', [{}, {'to_float32': True}, {'color_type': 'grayscale'},
                                     {'imdecode_backend': 'pillow'}])
def test_loads_what_mmcv_loads(tmp_path, picture, extension, options):
    path = tmp_path / f'a{extension}'
    path.write_bytes(encoded(picture, extension))
    ours, mmcv = load(path, **options), LoadImageFromFile(**options)({'img_path': str(path)})
    assert np.array_equal(ours['img'], mmcv['img'])
    assert ours['img'].dtype == mmcv['img'].dtype
    assert ours['img_shape'] == mmcv['img_shape'] == ours['ori_shape'] == (40, 60)


def test_turns_upright_by_exif_as_mmcv_does(tmp_path, picture):
    path = tmp_path / 'a.jpg'
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).save(path, exif=exif)
    assert load(path)['img_shape'] == (60, 40)
    assert load(path, color_type='color_ignore_orientation')['img_shape'] == (40, 60)


@pytest.mark.parametrize('extension', ['.jpg', '.png'])
def test_every_truncation_is_named(tmp_path, picture, extension):
    content = encoded(picture, extension)
    path = tmp_path / f'cut{extension}'
    for length in (12, len(content) // 3, len(content) // 2, len(content) - 9):
        path.write_bytes(content[:length])
        with pytest.raises(UserError, match='ends early') as error:
            load(path)
        assert str(path) in str(error.value)
        assert f'{length} bytes' in str(error.value)


@pytest.mark.parametrize('content, words', [(b'', r'is empty \(0 bytes\)'), (b'<html>no</html>', 'is not an image')])
@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
def test_no_image_is_named(tmp_path, content, words, backend):
    path = tmp_path / 'odd.jpg'
    path.write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        load(path, imdecode_backend=backend)
    assert str(path) in str(error.value)


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(UserError, match=r'gone\.jpg does not exist'):
        load(tmp_path / 'gone.jpg')
    with pytest.raises(UserError, match='cannot be read'):
        load(tmp_path)


def test_a_cache_decodes_once_and_gives_copies(tmp_path, picture):
    paths = [tmp_path / 'a.png', tmp_path / 'b.png']
    for path in paths:
        path.write_bytes(encoded(picture, '.png'))
    step = LoadImage(cache_mb=1.5 * picture.nbytes / 2**20)
    for path in paths:
        step({'img_path': str(path)})['img'][:] = 0  # as a step that works in place
        path.unlink()
    assert np.array_equal(step({'img_path': str(paths[0])})['img'], picture)
    with pytest.raises(UserError, match='does not exist'):  # there was room for one
        step({'img_path': str(paths[1])})


def test_ignore_empty_asks_the_dataset_for_another_image(tmp_path):
    assert load(tmp_path / 'gone.jpg', ignore_empty=True) is None


def test_is_registered():
    assert isinstance(TRANSFORMS.build({'type': 'lcvision.LoadImage'}), LoadImage)


RGB = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3)


def test_files_are_loaded_as_by_load_image(tmp_path):
    path = str(tmp_path / 'a.png')
    cv2.imwrite(path, RGB)
    ours, theirs = LoadAnyImage()(dict(img_path=path)), LoadImage()(dict(img_path=path))
    assert ours.keys() == theirs.keys() and (ours['img'] == theirs['img']).all()
    with pytest.raises(UserError, match=r'b\.png does not exist'):
        LoadAnyImage()(dict(img_path=str(tmp_path / 'b.png')))
    assert LoadAnyImage(ignore_empty=True)(dict(img_path=str(tmp_path / 'b.png'))) is None


def test_pixels_of_a_data_set_become_bgr():
    results = LoadAnyImage()(dict(img=RGB.copy(), gt_label=3, sample_idx=0))
    assert (results['img'] == RGB[..., ::-1]).all() and results['img'].flags.c_contiguous
    assert results['img_shape'] == results['ori_shape'] == (6, 4) and results['gt_label'] == 3
    assert results['img'].dtype == np.uint8
    assert LoadAnyImage(to_float32=True)(dict(img=RGB, sample_idx=0))['img'].dtype == np.float32


def test_pixels_of_an_inferencer_are_bgr_already():
    for loader in (LoadImage(), LoadAnyImage()):
        results = loader(dict(img=RGB.copy(), img_shape=(6, 4)))
        assert (results['img'] == RGB).all() and results['img_shape'] == results['ori_shape'] == (6, 4)


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
