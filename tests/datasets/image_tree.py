"""Small classification data sets for tests: trees of images and .npz files."""
import cv2
import numpy as np

CLASSES = ('ant', 'bee', 'cow')


def picture(seed, height=40, width=48):
    """A picture whose first pixels' mean tells ``seed``: BGR uint8."""
    image = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    return cv2.GaussianBlur(image, (0, 0), 3)


def tree(root, classes=CLASSES, train=4, val=2):
    """Writes ``train/CLASS/*.jpg`` and ``val/CLASS/*.jpg``."""
    for split, count in (('train', train), ('val', val)):
        for label, name in enumerate(classes):
            folder = root / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                cv2.imwrite(str(folder / f'{index}.jpg'), picture(100 * label + index))
    return root


def arrays(classes=CLASSES, splits=(('train', 6), ('test', 3)), side=32):
    """The arrays of an .npz file of JPEGs."""
    content = {'classes': np.array(classes)}
    for split, count in splits:
        encoded = [cv2.imencode('.jpg', picture(index, side, side))[1] for index in range(count)]
        content[f'{split}_data'] = np.concatenate(encoded)
        content[f'{split}_offsets'] = np.cumsum([0, *map(len, encoded)])
        content[f'{split}_labels'] = np.arange(count, dtype=np.uint8) % len(classes)
    return content


def npz(path, **changes):
    """Writes such a file; a change to None leaves the array out."""
    content = {**arrays(), **changes}
    np.savez(path, **{key: value for key, value in content.items() if value is not None})
    return path


def colours(root, train=64, val=4):
    """A tree that a classifier learns in seconds: six classes of noise around a colour each."""
    rng = np.random.default_rng(0)
    for name, colour in {'blue': (200, 60, 40), 'green': (60, 180, 60), 'grey': (120, 120, 120),
                         'red': (40, 50, 210), 'violet': (180, 60, 160), 'yellow': (50, 200, 220)}.items():
        for split, count in (('train', train), ('val', val)):
            (root / split / name).mkdir(parents=True)
            for index in range(count):
                image = np.clip(rng.normal(colour, 30, (36, 40, 3)), 0, 255).astype(np.uint8)
                cv2.imwrite(str(root / split / name / f'{name}_{index:04}.jpg'), image)
    return root
