"""Writes the frozen store of the present release: the sample programme, played to its end, as ``lrs backup`` keeps it.

Run once for each release, after its version was set; what it wrote never changes: ``python -m tests.releases.make``.
"""

from __future__ import annotations

import lzma
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
PASSPHRASE = "frozen"
"""Of the master key in the file: everybody in it is made up, and nobody trusts its badges."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "passphrase").write_text(PASSPHRASE)
        lrs = [sys.executable, "-m", "lrs"]
        data = ["--data", str(place / "data")]
        subprocess.run([*lrs, "demo", *data, "--out", str(place / "out")], check=True)
        kept = ["--passphrase-file", str(place / "passphrase")]
        subprocess.run([*lrs, "backup", str(place / "release.tar"), *kept, *data], check=True)
        packed = lzma.compress((place / "release.tar").read_bytes(), preset=9)
        (HERE / f"{version('engraft-lrs')}.tar.xz").write_bytes(packed)


if __name__ == "__main__":
    main()
