"""Tells a whole image file from one that ends early, whose rest some decoders fill with grey."""
import re

_JPEG_START, _JPEG_END = b'\xff\xd8\xff', b'\xff\xd9'
_PNG_START, _PNG_END = b'\x89PNG\r\n\x1a\n', b'IEND'
# Any marker but a restart: stuffed zeros, fill bytes and restarts belong to the compressed data.
_JPEG_MARKER = re.compile(rb'\xff[\x01-\xcf\xd8-\xfe]')
# Nearly every file ends at its end marker, or a few padding bytes later.
_TAIL = 64


def missing_end(content: bytes) -> str | None:
    """Looks for the end marker of a JPEG or PNG file.

    Args:
        content: The whole file.

    Returns:
        What is missing, as words that follow "the file ends early:", or None for a whole file or another format.
    """
    if content.startswith(_JPEG_START):
        return None if _jpeg_ends(content) else 'a JPEG without its end-of-image marker'
    if content.startswith(_PNG_START):
        return None if _png_ends(content) else 'a PNG without its IEND chunk'
    return None


def _jpeg_ends(content: bytes) -> bool:
    if content.rfind(_JPEG_END, -_TAIL) >= 0:
        return True
    # Bytes may follow the image, and an end marker may belong to a thumbnail within it: walk the segments.
    position = 2
    while match := _JPEG_MARKER.search(content, position):
        if match.group() == _JPEG_END:
            return True
        position = match.end() + int.from_bytes(content[match.end():match.end() + 2], 'big')
    return False


def _png_ends(content: bytes) -> bool:
    if content.rfind(_PNG_END, -_TAIL) >= 0:
        return True
    position = len(_PNG_START)
    while position + 8 <= len(content):
        if content[position + 4:position + 8] == _PNG_END:
            return True
        position += 12 + int.from_bytes(content[position:position + 4], 'big')
    return False
