"""Images out of folders, videos and iterables."""
import cv2
import numpy as np
import pytest

from lcvision.errors import UserError
from lcvision.inference.frames import open_source

IMAGE = np.full((32, 48, 3), 90, np.uint8)


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
    frames = list(open_source(tmp_path, progress=True))
    assert frames == [(name, tmp_path / name) for name in ('a.JPG', 'b.png', 'sub/c.jpg')]
    assert list(open_source(str(tmp_path / 'b.png'), True)) == [('b.png', tmp_path / 'b.png')]


def test_a_video_frame_by_frame(video):
    names, images = zip(*open_source(video, progress=True))
    assert names == ('clip.v1_000001', 'clip.v1_000002', 'clip.v1_000003')
    assert [round(float(image.mean()), -1) for image in images] == [0, 120, 240]


def test_a_video_that_ends_early_is_told(video):
    path = video.with_name('long.avi')
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (48, 32))
    for _ in range(40):
        writer.write(np.random.default_rng(0).integers(0, 255, (32, 48, 3), np.uint8))
    writer.release()
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    *frames, (name, error) = open_source(path, False)
    assert 5 < len(frames) < 35 and name == 'long.avi'
    assert isinstance(error, UserError) and f'after {len(frames)} of the 40 frames' in str(error)


def test_a_long_run_tells_how_far_it_is(monkeypatch):
    from lcvision import progress
    told = []
    monkeypatch.setattr(progress, '_SECONDS', -1)
    monkeypatch.setattr(progress, '_log', lambda text: told.append(text))
    assert len(list(open_source([IMAGE] * 3, progress=True))) == 3
    assert told == ['images: 0 of 3', 'images: 1 of 3', 'images: 2 of 3']


def test_an_iterable_is_read_as_it_is_asked_for(tmp_path):
    path = tmp_path / 'a.png'
    assert cv2.imwrite(str(path), IMAGE)

    def endless():
        yield path
        while True:
            yield IMAGE

    frames = open_source(endless(), progress=True)
    assert [next(frames)[0] for _ in range(3)] == ['a.png', '000002', '000003']


def test_faults_are_told_before_the_first_frame(tmp_path):
    with pytest.raises(UserError, match='there is no'):
        open_source(tmp_path / 'nowhere', False)
    with pytest.raises(UserError, match='holds no image'):
        open_source(tmp_path, False)
    torn = tmp_path / 'torn.mp4'
    torn.write_bytes(b'not a video')
    with pytest.raises(UserError, match='no video'):
        open_source(torn, False)
