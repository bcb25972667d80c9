"""The memory of threads: from how many arenas of the C library they take it."""

import subprocess
import sys

ARENAS_OF_EIGHT_THREADS = """
import ctypes, sys, threading
from lrs.kernel.arenas import share_arenas
share_arenas()
met = threading.Barrier(9)
def take():
    kept = bytearray(100_000)
    met.wait()
    met.wait()
threads = [threading.Thread(target=take) for _ in range(8)]
for one in threads: one.start()
met.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(libc.fdopen(1, b"w")))
libc.fflush(None)
met.wait()
"""


def test_eight_threads_share_two_arenas():
    told = subprocess.run([sys.executable, "-c", ARENAS_OF_EIGHT_THREADS], capture_output=True, text=True, check=True)

    assert told.stdout.count("<heap nr=") == 2
