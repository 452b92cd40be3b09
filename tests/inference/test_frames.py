"""Images out of folders, videos and iterables."""
import cv2
import numpy as np
import pytest

from lcvision.errors import UserError
from lcvision.inference.frames import open_source

IMAGE = np.full((32, 48, 3), 90, np.uint8)


def read(item):
    return cv2.imread(str(item)) if not isinstance(item, np.ndarray) else item


@pytest.fixture
def video(tmp_path):
    path = tmp_path / 'clip.v1.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (48, 32))
    if not writer.isOpened():
        pytest.skip('this OpenCV writes no MJPG video')
    for value in (0, 120, 240):
        writer.write(np.full((32, 48, 3), value, np.uint8))
    writer.release()
    return path


def test_a_folder_by_name_and_below(tmp_path):
    for name in ('b.png', 'a.JPG', 'sub/c.jpg', '.hidden.png', '.hid/d.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        assert cv2.imwrite(str(tmp_path / name), IMAGE)
    (tmp_path / 'notes.txt').write_text('no image')
    frames = list(open_source(tmp_path, read, progress=True))
    assert [frame.name for frame in frames] == ['a.JPG', 'b.png', 'sub/c.jpg']
    assert all(frame.image.shape == (32, 48, 3) for frame in frames)
    assert [frame.name for frame in open_source(str(tmp_path / 'b.png'), read, True)] == ['b.png']


def test_a_video_frame_by_frame(video):
    frames = list(open_source(video, read, progress=True))
    assert [frame.name for frame in frames] == ['clip.v1_000001', 'clip.v1_000002', 'clip.v1_000003']
    assert [round(float(frame.image.mean()), -1) for frame in frames] == [0, 120, 240]


def test_a_video_that_ends_early_is_told(video):
    path = video.with_name('long.avi')
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (48, 32))
    for _ in range(40):
        writer.write(np.random.default_rng(0).integers(0, 255, (32, 48, 3), np.uint8))
    writer.release()
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    skipped = []
    frames = list(open_source(path, read, False, lambda *what: skipped.append(what)))
    (name, error), = skipped
    assert 5 < len(frames) < 35 and name == 'long.avi' and f'after {len(frames)} of the 40 frames' in str(error)
    with pytest.raises(UserError, match='of the 40 frames'):
        list(open_source(path, read, False))


def test_an_image_that_cannot_be_read_is_skipped_or_raised(tmp_path):
    def fussy(path):
        if path.name == 'b.png':
            raise UserError('b is torn')
        return IMAGE

    for name in 'abc':
        assert cv2.imwrite(str(tmp_path / f'{name}.png'), IMAGE)
    skipped = []
    frames = open_source(tmp_path, fussy, False, lambda *what: skipped.append(what))
    assert [frame.name for frame in frames] == ['a.png', 'c.png']
    assert [(name, str(error)) for name, error in skipped] == [('b.png', 'b is torn')]
    with pytest.raises(UserError, match='b is torn'):
        list(open_source(tmp_path, fussy, False))


def test_a_long_run_tells_how_far_it_is(monkeypatch):
    from lcvision import progress
    told = []
    monkeypatch.setattr(progress, '_SECONDS', -1)
    monkeypatch.setattr(progress, '_log', lambda text: told.append(text))
    assert len(list(open_source([IMAGE] * 3, read, progress=True))) == 3
    assert told == ['images: 0 of 3', 'images: 1 of 3', 'images: 2 of 3']


def test_an_iterable_is_read_as_it_is_asked_for(tmp_path):
    path = tmp_path / 'a.png'
    assert cv2.imwrite(str(path), IMAGE)

    def endless():
        yield path
        while True:
            yield IMAGE

    frames = open_source(endless(), read, progress=True)
    assert [next(frames).name for _ in range(3)] == ['a.png', '000002', '000003']


def test_faults_are_told_before_the_first_frame(tmp_path):
    with pytest.raises(UserError, match='there is no'):
        open_source(tmp_path / 'nowhere', read, False)
    with pytest.raises(UserError, match='holds no image'):
        open_source(tmp_path, read, False)
    torn = tmp_path / 'torn.mp4'
    torn.write_bytes(b'not a video')
    with pytest.raises(UserError, match='no video'):
        open_source(torn, read, False)
