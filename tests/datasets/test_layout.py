"""Listing a folder: what is seen, and links that would never end."""
import pytest

from lcvision.datasets.cityscapes_folder import read_cityscapes
from lcvision.datasets.layout import file_names, part_of
from lcvision.datasets.mask_folder import pair_up
from lcvision.errors import UserError


@pytest.mark.parametrize('count, held_out', [(0, []), (1, [0]), (4, [3]), (5, [4]), (11, [4, 9])])
def test_every_item_is_in_one_part(count, held_out):
    items = list(range(count))
    assert part_of(items, 'val') == held_out and part_of(items, None) == items
    assert part_of(items, 'train') == [item for item in items if item not in held_out]


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_files_of_any_depth_links_too_but_none_that_are_hidden(tmp_path):
    for name in ('root/b.png', 'root/a/z.png', 'root/.c.png', 'root/.d/e.png', 'other/f.png'):
        touch(tmp_path / name)
    (tmp_path / 'root/link').symlink_to(tmp_path / 'other')
    (tmp_path / 'root/again').symlink_to(tmp_path / 'other')
    (tmp_path / 'root/file.png').symlink_to(tmp_path / 'other/f.png')
    (tmp_path / 'root/dead.png').symlink_to(tmp_path / 'nowhere')
    (tmp_path / 'root/self').symlink_to(tmp_path / 'root/self')
    assert file_names(tmp_path / 'root') == ['a/z.png', 'again/f.png', 'b.png', 'file.png', 'link/f.png']


@pytest.mark.parametrize('links', [{'images/loop': 'images'}, {'images/up': '.'},
                                   {'images/deep/x': 'masks', 'masks/y': 'images'}])
def test_links_in_a_circle_are_told(tmp_path, links):
    for name in ('images/deep/a_leftImg8bit.png', 'masks/a_gtFine_labelIds.png'):
        touch(tmp_path / name)
    for link, target in links.items():
        (tmp_path / link).symlink_to(tmp_path / target)
    for call in (read_cityscapes, pair_up):
        with pytest.raises(UserError, match='leads back to') as error:
            call(tmp_path / 'images', tmp_path / 'masks')
        assert '\n' not in str(error.value)
