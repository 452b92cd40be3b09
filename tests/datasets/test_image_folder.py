"""Trees of images: which splits are found and what is wrong with one."""
import image_tree
import pytest

from lcvision.datasets.image_folder import check_image_folder, find_image_folder, has_splits
from lcvision.errors import UserError


def message(call, *args):
    with pytest.raises(UserError) as error:
        call(*args)
    assert '\n' not in str(error.value)
    return str(error.value)


@pytest.fixture
def root(tmp_path):
    return image_tree.tree(tmp_path / 'set')


def test_splits_and_classes_are_found(root):
    train, val = (find_image_folder(root, split) for split in ('train', 'val'))
    assert (train.folder, train.classes, train.num_images) == (root / 'train', image_tree.CLASSES, 12)
    assert (val.folder, val.classes, val.num_images) == (root / 'val', image_tree.CLASSES, 6)
    assert has_splits(root) and not has_splits(root / 'train')


@pytest.mark.parametrize('name', ['validation', 'valid', 'test'])
def test_a_validation_split_has_several_names(root, name):
    (root / 'val').rename(root / name)
    assert find_image_folder(root, 'val').folder == root / name


def test_what_was_taken_of_several_is_told(root, monkeypatch):
    told = []
    monkeypatch.setattr('lcvision.datasets.several.print_log', lambda text, logger: told.append(text))
    (root / 'test').mkdir()
    find_image_folder(root, 'val')
    assert not told
    (root / 'valid').mkdir()
    assert find_image_folder(root, 'val').folder == root / 'val'
    assert f"{root / 'val'} is taken, not {root / 'valid'} (" in told[0] and len(told) == 1


def test_images_below_a_class_count_and_other_files_do_not(root):
    deep = root / 'train' / 'bee' / 'wild' / 'far'
    deep.mkdir(parents=True)
    (root / 'train' / 'bee' / '0.jpg').rename(deep / '9.JPEG')
    for name in ('notes.txt', '.hidden.jpg', 'Thumbs.db'):
        (root / 'train' / 'ant' / name).write_text('x')
    (root / 'train' / 'readme.md').write_text('x')
    assert find_image_folder(root, 'train').num_images == 12


def test_classes_without_splits_are_told_what_to_do(root):
    text = message(find_image_folder, root / 'train', 'val')
    assert 'holds the classes ant, bee, cow without splits' in text and str(root / 'train' / 'val') in text


def test_a_missing_split_is_named(root):
    (root / 'val').rename(root / 'other')
    text = message(find_image_folder, root, 'val')
    assert f"{root} is not a tree of images: it has no folder 'val'" in text and f'{root}/val/CLASS/*.jpg' in text
    assert find_image_folder(root, 'train').num_images == 12


def test_an_unrelated_folder_is_told_the_layout(tmp_path):
    (tmp_path / 'docs').mkdir()
    assert '.npz' in message(find_image_folder, tmp_path, 'train')


@pytest.mark.parametrize('name', ['bee', '.ipynb_checkpoints'])
def test_an_empty_class_is_named(root, name):
    folder = root / 'train' / name
    for path in folder.glob('*'):
        path.unlink()
    folder.mkdir(exist_ok=True)
    text = message(find_image_folder, root, 'train')
    assert text.startswith(f'{folder} has no image') and 'likewise' not in text
    (root / 'train' / 'zebra').mkdir()
    assert 'zebra likewise' in message(find_image_folder, root, 'train')


def test_images_without_classes_are_told(root):
    text = message(check_image_folder, root / 'train' / 'ant')
    assert f"{root / 'train' / 'ant'} has no classes: its 4 images lie in no folder of a class" in text
    (root / 'nothing').mkdir()
    assert 'it has no folders' in message(check_image_folder, root / 'nothing')
