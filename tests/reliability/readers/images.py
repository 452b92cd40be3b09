"""Image files of every kind, spoiled."""
import io
import random
import struct
from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lcvision.datasets.mask_check import image_size
from lcvision.datasets.mask_coding import mask_size, read_mask
from lcvision.datasets.transforms import LoadImage
from lcvision.errors import UserError
from lcvision.image_file import EXTENSIONS, decode_image, read_image
from lcvision.inference.frames import open_source
from tests.reliability.fuzz import Case, png_size, spoil_bytes

_SIDES = (0, 1, 2, 255, 65_000, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 20_000)


@cache
def pictures() -> dict[str, bytes]:
    """Files by name, none of which is spoiled."""
    pixels = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    found = {}

    def save(name: str, image: Image.Image, **options: object) -> None:
        buffer, kind = io.BytesIO(), {'jpg': 'JPEG', 'tif': 'TIFF'}.get(name.split('.')[-1], name.split('.')[-1])
        image.save(buffer, kind, **options)
        found[name] = buffer.getvalue()

    image = Image.fromarray(pixels)
    for mode in ('1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'I;16'):
        source = image.convert('L') if mode[0] == 'I' else image
        save(f'{mode.replace(";", "")}.png', source.convert(mode))
    for mode in ('L', 'RGB', 'CMYK', 'YCbCr'):
        save(f'{mode}.jpg', image.convert(mode))
    for turn in range(9):
        exif = Image.Exif()
        exif[0x0112] = turn
        save(f'turned{turn}.jpg', image, exif=exif)
    save('turned.png', image, exif=exif)
    save('progressive.jpg', image, progressive=True)
    for mode in ('1', 'L', 'P', 'RGB', 'RGBA', 'CMYK', 'LAB', 'F', 'I'):
        save(f'{mode}.tif', image.convert('L').convert(mode) if mode in 'FI' else image.convert(mode)
             if mode != 'LAB' else Image.new('LAB', (24, 16)))
    for way in ('tiff_lzw', 'tiff_adobe_deflate', 'packbits', 'jpeg'):
        save(f'{way}.tif', image, compression=way)
    for suffix in ('webp', 'bmp', 'gif', 'ppm', 'ico', 'tga', 'pcx'):
        save(f'a.{suffix}', image)
    save('animated.gif', image, save_all=True, append_images=[image.rotate(90)] * 3)
    save('animated.webp', image, save_all=True, append_images=[image.rotate(90)] * 3)
    save('animated.png', image, save_all=True, append_images=[image.rotate(90)] * 3)
    save('1x1.png', Image.new('RGB', (1, 1)))
    save('1x1.jpg', Image.new('RGB', (1, 1)))
    for width, height in ((30_000, 2), (2, 30_000), (300, 3), (65_500, 1)):
        save(f'{width}x{height}.png', Image.new('L', (width, height)))
        save(f'{width}x{height}.jpg', Image.new('L', (width, height)))
    save('wide.png', Image.new('1', (4000, 4000)))
    save('wide.gif', Image.new('P', (4000, 4000)))
    found['16.png'] = cv2.imencode('.png', pixels.astype(np.uint16) * 257)[1].tobytes()
    found['exr.tif'] = cv2.imencode('.tiff', pixels.astype(np.float32))[1].tobytes()
    found |= {'text.png': b'no image\n', 'empty.jpg': b'', 'svg.png': b'<svg xmlns="http://www.w3.org/2000/svg"/>'}
    return found


def spoil_image(rng: random.Random, name: str | None = None) -> tuple[str, bytes]:
    """A name and a content, of some image that is or is not whole."""
    name = name or rng.choice(sorted(pictures()))
    content = pictures()[name]
    change = rng.random()
    if change < .15 and content[:4] == b'\x89PNG':
        content = png_size(content, *rng.choices(_SIDES, k=2))
    elif change < .15 and (at := content.find(b'\xff\xc0')) > 0:
        sides = (side & 0xffff for side in rng.choices(_SIDES, k=2))
        content = content[:at + 5] + struct.pack('>HH', *sides) + content[at + 9:]
    elif change < .15 and content[:2] == b'BM':
        content = content[:18] + struct.pack('<II', *rng.choices(_SIDES, k=2)) + content[26:]
    elif change < .85:
        content = spoil_bytes(rng, content)
    if rng.random() < .1:
        content += rng.choice((content, b'\0' * 1000, b'\xff\xd9', b'PK\x03\x04'))
    return f'x{rng.choice((Path(name).suffix, *EXTENSIONS)) if rng.random() < .2 else Path(name).suffix}', content


class Images:
    """What reads images: pipelines, checks, predictors and masks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / 'images'
        self.folder.mkdir()
        self._loaders = [LoadImage(), LoadImage(imdecode_backend='pillow'), LoadImage(color_type='unchanged'),
                         LoadImage(to_float32=True)]

    def case(self, rng: random.Random) -> Case:
        name, content = spoil_image(rng)
        path = self.folder / name
        for old in self.folder.iterdir():
            old.unlink()
        path.write_bytes(content)
        return partial(self._read, path, rng.choice(self._loaders))

    def _read(self, path: Path, load: LoadImage) -> None:
        refused = None
        for read in (lambda: load(dict(img_path=str(path))), lambda: image_size(path), lambda: mask_size(path),
                     lambda: read_mask(path), lambda: read_image(path, decode_image),
                     lambda: [read_image(one, decode_image) for _, one in open_source(path.parent, False)]):
            try:
                read()
            except UserError as error:
                refused = error
        if refused:
            raise refused
