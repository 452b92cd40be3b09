import cv2
import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from mmengine.registry import TRANSFORMS
from PIL import Image

from lcvision.datasets.transforms import LoadAnyImage, LoadImage
from lcvision.errors import UserError


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
