"""Keeps freed memory in the process, where glibc would return it to the system after every inference."""
import ctypes
import functools
import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_BYTES = 1 << 30


@functools.cache
def keep_freed_memory() -> bool:
    """Makes malloc reuse the memory of activations up to 1 GiB, for the rest of the process; False without glibc.

    torch allocates every activation anew. Above some size glibc maps each from the system and unmaps it afterwards, or
    trims the heap, depending on what ran before in the process. Every inference then takes a page fault for each 4 KiB
    that it writes (PP-LCNet 1x at 224: 900 faults, 6.8 instead of 4.7 ms), and one network has two latencies.
    """
    if not sys.platform.startswith('linux'):
        return False
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    # No mapping at all: until glibc 2.34 the size from which memory is mapped cannot exceed 32 MiB. This comes first,
    # since the trim threshold alone freezes that size at 128 KiB, and then every activation is mapped.
    return mallopt is not None and bool(mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, _BYTES))


def allocator() -> dict:
    """What gives memory to a measured network: the C library, what replaces it, and whether freed memory stays."""
    version = getattr(ctypes.CDLL(None), 'gnu_get_libc_version', None) if sys.platform.startswith('linux') else None
    if version:
        version.restype = ctypes.c_char_p
    return {'glibc': version().decode() if version else None, 'preload': os.environ.get('LD_PRELOAD') or None,
            'keeps_freed_memory': keep_freed_memory()}
