"""Trees and lists of images: which splits are found and what is wrong with one."""
import image_tree
import pytest

from lcvision.datasets.image_folder import check_image_folder, check_image_list, find, holds
from lcvision.errors import UserError
from tests.mistakes import message


@pytest.fixture
def root(tmp_path):
    return image_tree.tree(tmp_path / 'set')


def test_splits_and_classes_are_found(root):
    train, val = (find(root, split) for split in ('train', 'val'))
    assert (train.place, train.classes, train.num_images) == (root / 'train', image_tree.CLASSES, 12)
    assert (val.place, val.classes, val.num_images) == (root / 'val', image_tree.CLASSES, 6)
    for folder, expected in ((root, True), (root / 'train', False)):
        assert holds(folder)
        (folder / 'set.npz').touch()
        assert holds(folder) == expected


@pytest.mark.parametrize('name', ['validation', 'valid', 'test'])
def test_a_validation_split_has_several_names(root, name):
    (root / 'val').rename(root / name)
    assert find(root, 'val').place == root / name


def test_what_was_taken_of_several_is_told(root, monkeypatch):
    told = []
    monkeypatch.setattr('lcvision.datasets.layout.print_log', lambda text, logger: told.append(text))
    (root / 'test').mkdir()
    find(root, 'val')
    assert not told
    (root / 'valid').mkdir()
    assert find(root, 'val').place == root / 'val'
    assert f"{root / 'val'} is taken, not {root / 'valid'} (" in told[0] and len(told) == 1


def test_images_below_a_class_count_and_other_files_do_not(root):
    deep = root / 'train' / 'bee' / 'wild' / 'far'
    deep.mkdir(parents=True)
    (root / 'train' / 'bee' / '0.jpg').rename(deep / '9.JPEG')
    for name in ('notes.txt', '.hidden.jpg', 'Thumbs.db'):
        (root / 'train' / 'ant' / name).write_text('x')
    (root / 'train' / 'readme.md').write_text('x')
    assert find(root, 'train').num_images == 12


def test_classes_without_splits_are_told_what_to_do(root):
    text = message(find, root / 'train', 'val')
    assert 'holds the classes ant, bee, cow without splits' in text and str(root / 'train' / 'val') in text


def test_a_missing_split_is_named(root):
    (root / 'val').rename(root / 'other')
    text = message(find, root, 'val')
    assert f"{root} is not a tree of images: it has no folder 'val'" in text and f'{root}/val/CLASS/*.jpg' in text
    assert find(root, 'train').num_images == 12


def test_an_unrelated_folder_is_told_the_layout(tmp_path):
    (tmp_path / 'docs').mkdir()
    assert '.npz' in message(find, tmp_path, 'train')


@pytest.mark.parametrize('name', ['bee', '.ipynb_checkpoints'])
def test_an_empty_class_is_named(root, name):
    folder = root / 'train' / name
    for path in folder.glob('*'):
        path.unlink()
    folder.mkdir(exist_ok=True)
    text = message(find, root, 'train')
    assert text.startswith(f'{folder} has no image') and 'likewise' not in text
    (root / 'train' / 'zebra').mkdir()
    assert 'zebra likewise' in message(find, root, 'train')


def test_images_without_classes_are_told(root):
    text = message(check_image_folder, root / 'train' / 'ant')
    assert f"{root / 'train' / 'ant'} has no classes: its 4 images lie in no folder of a class" in text
    (root / 'nothing').mkdir()
    assert 'it has no folders' in message(check_image_folder, root / 'nothing')


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
