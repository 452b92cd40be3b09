"""Lists of images and labels, one a line."""
import image_tree
import pytest

from lcvision.datasets.sources.image_list import check_image_list
from lcvision.errors import UserError


@pytest.fixture
def folder(tmp_path):
    return image_tree.tree(tmp_path) / 'train'


def write(folder, *lines):
    path = folder.parent / 'train.txt'
    path.write_text('\n'.join(lines))
    return path


def test_lines_are_counted(folder):
    assert check_image_list(write(folder, 'ant/0.jpg 0', 'bee/1.jpg 1', 'cow/3.jpg 2'), folder, 3) == 3


def test_a_path_may_have_spaces_and_any_label_passes_without_classes(folder):
    (folder / 'ant' / '0.jpg').rename(folder / 'an ant.jpg')
    assert check_image_list(write(folder, 'an ant.jpg 999'), folder, 0) == 1


@pytest.mark.parametrize('lines, said', [
    (('ant/0.jpg 0', 'bee/1.jpg'), "line 2: 'bee/1.jpg' is not 'path label'"),
    (('ant/0.jpg zero',), "line 1: 'ant/0.jpg zero' is not 'path label'"),
    (('ant/0.jpg 3',), 'line 1: the label is 3, but labels of 3 classes lie in 0..2'),
    (('ant/0.jpg 0', 'ant/9.jpg 0'), 'line 2: '), (('fly/9.jpg 0',), 'fly/9.jpg does not exist'), ((), 'is empty')])
def test_a_fault_is_told_with_its_line(folder, lines, said):
    path = write(folder, *lines)
    with pytest.raises(UserError) as error:
        check_image_list(path, folder, 3)
    assert said in str(error.value) and str(path) in str(error.value) and '\n' not in str(error.value)


def test_a_list_that_is_no_text_is_told(folder):
    path = write(folder)
    path.write_bytes(b'\xff\xfe\x00\xd8')
    with pytest.raises(UserError, match='cannot be read'):
        check_image_list(path, folder, 3)
