"""Kernels of the tests are kept in one folder of their own, so that they are built once a machine."""

import getpass
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OSTEON_CACHE", str(Path(tempfile.gettempdir()) / f"osteon-test-kernels-{getpass.getuser()}"))
