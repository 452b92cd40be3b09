"""A header that asks for gigabytes is refused before a pixel is decoded, and a file that ends early is recognised."""
import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from lcvision.datasets.mask_check import check_masks
from lcvision.datasets.mask_coding import MaskCoding, read_mask
from lcvision.datasets.transforms import LoadImage
from lcvision.errors import UserError
from lcvision.image_file import missing_end


@pytest.fixture(autouse=True)
def pillow_as_it_was(monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', Image.MAX_IMAGE_PIXELS)


def encoded(extension, width=60, height=40):
    return cv2.imencode(extension, np.zeros((height, width, 3), np.uint8))[1].tobytes()


def huge_jpeg():
    content = encoded('.jpg')
    frame = content.index(b'\xff\xc0') + 5
    return content[:frame] + struct.pack('>HH', 30000, 30000) + content[frame + 4:]


def huge_png():
    content = encoded('.png')
    header = b'IHDR' + struct.pack('>II', 60000, 60000) + content[24:29]
    return content[:12] + header + struct.pack('>I', zlib.crc32(header)) + content[33:]


def huge_bmp():
    content = encoded('.bmp')
    return content[:18] + struct.pack('<ii', 30000, 30000) + content[26:]


def refused(content, **options):
    with pytest.raises(UserError) as error:
        LoadImage(**options).decode('x.img', content)
    assert '\n' not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize('make, size', [(huge_jpeg, '30000x30000'), (huge_png, '60000x60000'),
                                        (huge_bmp, '30000x30000')])
def test_a_huge_header_is_refused(make, size, backend):
    text = refused(make(), imdecode_backend=backend)
    assert text.startswith(f'Image file x.img is {size}: ') and 'LCVISION_MAX_PIXELS=' in text


@pytest.mark.parametrize('width, height', [(30000, 1), (1, 2000), (1010, 10)])
def test_a_thread_of_an_image_is_refused(width, height):
    text = refused(encoded('.png', width, height))
    assert f'{width}x{height}' in text and f'LCVISION_MAX_ASPECT={max(width, height) // min(width, height)} ' in text


def test_the_bounds_are_moved_by_the_environment(monkeypatch):
    thin, plain = encoded('.png', 1000, 2), encoded('.png')
    monkeypatch.setenv('LCVISION_MAX_ASPECT', '500')
    assert LoadImage().decode('x', thin).shape == (2, 1000, 3)
    monkeypatch.setenv('LCVISION_MAX_PIXELS', '2399')
    assert '60x40: 2,400 pixels are more than the 2,399 allowed' in refused(plain)
    monkeypatch.setenv('LCVISION_MAX_PIXELS', '2400')
    assert LoadImage().decode('x', plain).shape == (40, 60, 3)
    monkeypatch.setenv('LCVISION_MAX_PIXELS', 'many')
    assert "LCVISION_MAX_PIXELS='many'" in refused(plain)


@pytest.mark.parametrize('read', [
    LoadImage(imdecode_backend='pillow').decode, lambda name, content: read_mask(name, content).pixels])
def test_pillows_own_limit_is_not_met(monkeypatch, read):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 100)
    assert read('x', encoded('.png')).shape == (40, 60, 3)


def test_what_the_decoder_alone_refuses_is_told(monkeypatch):
    monkeypatch.setenv('LCVISION_MAX_PIXELS', '9' * 12)
    assert 'is not an image that cv2 can decode' in refused(huge_png())


def test_masks_and_their_images_are_bounded(tmp_path):
    for name, content in (('huge.png', huge_png()), ('a.jpg', encoded('.jpg')), ('thin.png', encoded('.png', 999, 1))):
        (tmp_path / name).write_bytes(content)
    huge, thin, image = tmp_path / 'huge.png', tmp_path / 'thin.png', tmp_path / 'a.jpg'

    def check(*pair):
        return lambda: check_masks([pair], MaskCoding(2), 'here')

    for call, text in ((lambda: read_mask(huge), f'Mask file {huge} is 60000x60000: '),
                       (check(image, huge), f'Mask file {huge} is 60000x60000: '),
                       (check(huge, image), f'Image file {huge} is 60000x60000: '),
                       (check(thin, image), f'Image file {thin} is 999x1: ')):
        with pytest.raises(UserError) as error:
            call()
        assert str(error.value).startswith(text)


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
