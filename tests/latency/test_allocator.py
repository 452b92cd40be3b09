import resource
import subprocess
import sys

import pytest

from lcvision.latency.allocator import keep_freed_memory

CODE = """
import resource, torch
from lcvision.latency.allocator import keep_freed_memory
keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    torch.ones(4 << 20)
before = faults()
for _ in range(5):
    torch.ones(4 << 20)
print(faults() - before)
"""


@pytest.mark.skipif(not keep_freed_memory(), reason='the C library is not glibc')
def test_memory_that_was_freed_is_not_mapped_again():
    done = subprocess.run([sys.executable, '-c', CODE], capture_output=True, text=True, check=True)
    assert int(done.stdout) < (16 << 20) // resource.getpagesize()
