"""The rendered classification sample: reproducible, balanced, and told apart by what is on it."""
import cv2
import numpy as np
import pytest

from lcvision.datasets.image_folder import find_image_folder
from lcvision.datasets.sample import ensure_classification_sample, render_classification_sample
from lcvision.datasets.sample.classification import SIDES
from lcvision.datasets.sample.objects import CATEGORIES


def files_of(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob('*') if path.is_file()}


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp('sample')
    render_classification_sample(root, 6, 2)
    return root


def test_same_seed_same_bytes(root, tmp_path):
    for name, seed in (('again', 2017), ('other', 3)):
        render_classification_sample(tmp_path / name, 6, 2, seed)
    first, again, other = files_of(root), files_of(tmp_path / 'again'), files_of(tmp_path / 'other')
    assert first == again and first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first)
    assert len(set(first.values())) == len(first) == 8 * len(CATEGORIES)


def test_fewer_images_are_a_part_of_more(root, tmp_path):
    render_classification_sample(tmp_path / 'small', 2, 1)
    assert files_of(tmp_path / 'small').items() <= files_of(root).items()


def test_every_class_has_images_in_both_splits(root):
    train, val = (find_image_folder(root, split) for split in ('train', 'val'))
    assert train.classes == val.classes and len(train.classes) == len(CATEGORIES) >= 8
    assert train.num_images == 6 * len(CATEGORIES) and val.num_images == 2 * len(CATEGORIES)


def test_images_are_small_and_of_several_shapes(root):
    shapes = set()
    for path in root.rglob('*.jpg'):
        image = cv2.imread(str(path))
        assert set(image.shape[:2]) <= set(SIDES) and image.std() > 8
        shapes.add(image.shape)
    assert len(shapes) > 10


def test_colours_alone_do_better_than_chance(root):
    """A nearest-neighbour rule on tiny thumbnails finds the class far more often than one time in eight."""
    def read(split):
        paths = sorted((root / split).rglob('*.jpg'))
        small = [cv2.resize(cv2.imread(str(p)), (8, 8), interpolation=cv2.INTER_AREA)[2:6, 2:6].ravel() for p in paths]
        return np.array(small, float), [p.parent.name for p in paths]
    (train, names), (val, truth) = read('train'), read('val')
    found = [names[np.abs(train - one).sum(1).argmin()] for one in val]
    assert np.mean([a == b for a, b in zip(found, truth, strict=True)]) > 0.3


def test_it_is_rendered_once(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr('lcvision.datasets.sample.classification.render_classification_sample',
                        lambda root: calls.append(root) or render_classification_sample(root, 1, 1))
    for _ in range(2):
        assert ensure_classification_sample(tmp_path / 'data') == tmp_path / 'data'
    assert len(calls) == 1 and (tmp_path / 'data/val/stop_sign').is_dir()
