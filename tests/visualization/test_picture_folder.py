"""Pictures take the place of nobody else's file."""
import cv2
import numpy as np
import pytest

from lcvision.errors import UserError
from lcvision.visualization import PictureFolder

PICTURE = np.arange(64 * 48 * 3, dtype=np.uint32).astype(np.uint8).reshape(64, 48, 3)


def draw(folder, name='a', **given):
    pictures = PictureFolder(folder, **given)
    stem = pictures.free_stem(name, '{}.jpg', 'labels/{}.png')
    pictures.write(f'{stem}.jpg', PICTURE)
    pictures.write(f'labels/{stem}.png', PICTURE[..., 0].astype(np.uint16))
    return stem


def test_pictures_of_an_earlier_run_are_replaced(tmp_path):
    assert [draw(tmp_path) for _ in range(3)] == ['a'] * 3
    assert np.array_equal(cv2.imread(str(tmp_path / 'labels/a.png'), cv2.IMREAD_UNCHANGED), PICTURE[..., 0])
    assert cv2.imread(str(tmp_path / 'a.jpg')).shape == PICTURE.shape


@pytest.mark.parametrize('name', ['a.jpg', 'labels/a.png'])
def test_another_file_stays(name, tmp_path):
    path = tmp_path / name
    for content in (b'', b'no picture', cv2.imencode(path.suffix, PICTURE)[1].tobytes()):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        assert draw(tmp_path) == draw(tmp_path) == 'a_2' and path.read_bytes() == content
    path.unlink()
    path.mkdir()
    assert draw(tmp_path) == 'a_2'
    path.rmdir()
    path.symlink_to(tmp_path / 'nowhere')
    assert draw(tmp_path) == 'a_2' and not (tmp_path / 'nowhere').exists()


@pytest.mark.parametrize('name', ['a.jpg', 'labels/a.png'])
def test_a_picture_that_was_changed_since_stays(name, tmp_path):
    draw(tmp_path)
    changed = (tmp_path / name).read_bytes()[:-20] + b'changed by its owner'
    (tmp_path / name).write_bytes(changed)
    assert draw(tmp_path) == 'a_2' and (tmp_path / name).read_bytes() == changed


def test_what_is_being_read_stays(tmp_path):
    draw(tmp_path)
    before = (tmp_path / 'a.jpg').read_bytes()
    assert draw(tmp_path, source=tmp_path / 'a.jpg') == 'a_2' and (tmp_path / 'a.jpg').read_bytes() == before


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / 'labels').write_text('')
    with pytest.raises(UserError, match=r'labels/a\.png cannot be written'):
        draw(tmp_path)
