"""Machine code goes into memory that is in pieces: code and constants must not come to lie too far apart."""

import subprocess
import sys
from pathlib import Path

import pytest

from osteon.engine.cache import folder
from osteon.engine.lanes.making import obtain
from osteon.engine.lanes.store import lane_key
from osteon.model.systems import assemble

OPEN_IT = """
import ctypes, sys
from pathlib import Path
from llvmlite.binding import executionengine
from osteon.engine.lanes.store import _open

content = Path(sys.argv[1]).read_bytes()
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
PAGE = 4096

def take(size):
    return libc.mmap(None, size, 0, 0x4022, -1, 0)  # no access, private, anonymous, nothing reserved

def fill(*sizes):
    for size, count in sizes:
        for _ in range(count):
            take(size)

real = executionengine.ExecutionEngine.add_object_file

def in_a_hole(self, code):
    # One hole of some pages, and the next free memory 6 GB below.
    fill((1 << 20, 3000), (1 << 16, 3000), (PAGE, 5000))
    hole = take(pages * PAGE)
    take(6 << 30)
    fill((1 << 16, 200), (PAGE, 2000))
    libc.munmap(hole, pages * PAGE)
    real(self, code)

executionengine.ExecutionEngine.add_object_file = in_a_hole
for pages in range(6, 24):
    assert _open("key", content).states
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Holes are made with calls of Linux.")
def test_a_kernel_opens_where_memory_is_in_pieces() -> None:
    system = assemble(fractured=False)
    obtain(system)
    path = Path(folder()) / f"lanes_{lane_key(system)}.bin"
    done = subprocess.run([sys.executable, "-c", OPEN_IT, path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-500:]
