import cv2
import numpy as np
import pytest

from lcvision.datasets.transforms import LoadAnyImage, LoadImage
from lcvision.errors import UserError

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
