import io

import cv2
import numpy as np
import pytest
from PIL import Image

from lcvision.datasets.image_end import missing_end


@pytest.fixture
def pixels():
    noise = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (5, 5), 2)


def jpeg(pixels, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, 'jpeg', **options)
    return buffer.getvalue()


def with_thumbnail(pixels):
    """A JPEG that carries a whole smaller JPEG in an APP1 segment, as cameras write them."""
    body, thumbnail = jpeg(pixels), jpeg(pixels[:16, :16])
    return body[:2] + b'\xff\xe1' + (len(thumbnail) + 2).to_bytes(2, 'big') + thumbnail + body[2:]


@pytest.mark.parametrize('options', [{}, {'progressive': True}, {'restart_marker_blocks': 1}, {'quality': 100}])
def test_whole_jpeg_and_each_cut_of_it(pixels, options):
    content = jpeg(pixels, **options)
    assert missing_end(content) is None
    assert all(missing_end(content[:length]) for length in range(3, len(content) - 1, 7))


def test_thumbnail_end_is_not_the_end(pixels):
    content = with_thumbnail(pixels)
    assert missing_end(content) is None
    assert missing_end(content[:-2])
    assert missing_end(content[:len(content) * 2 // 3])


@pytest.mark.parametrize('trailer', [b'\0' * 5, b'\0' * 5000, b'\xff\xda\x00\x0c' * 50, b'\xff' * 300])
def test_bytes_after_the_image_are_no_fault(pixels, trailer):
    png = cv2.imencode('.png', pixels)[1].tobytes()
    for content in (jpeg(pixels), jpeg(pixels, progressive=True), with_thumbnail(pixels), png):
        assert missing_end(content + trailer) is None
        assert missing_end(content[:-20] + b'\0' * 100)


def test_png(pixels):
    content = cv2.imencode('.png', pixels)[1].tobytes()
    assert missing_end(content) is None
    assert 'IEND' in missing_end(content[:-12])
    assert 'IEND' in missing_end(content[:20])


def test_other_formats_are_left_to_the_decoder(pixels):
    assert missing_end(cv2.imencode('.bmp', pixels)[1].tobytes()[:100]) is None
    assert missing_end(b'text') is None
