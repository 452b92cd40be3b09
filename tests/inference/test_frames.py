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
