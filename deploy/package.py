"""Builds the function of the feed: `python deploy/package.py [FOLDER]` writes FOLDER/hyperpod-state-feed-HASH.zip.

Knows: which of our modules the function is made of, wheels.
Must not know: AWS.

The same sources give the same bytes on any machine: files in order, with one time, not compressed (compressors differ).
The hash in the name is of the zip itself, so that a stack sees a new function as a new key.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "deploy" / "function" / "requirements.txt"
OURS = [ROOT / "streams" / name for name in ("__init__.py", "handshake.py")] + sorted(
    (ROOT / "streams" / "feed").glob("*.py")
)
STAMP = (1980, 1, 1, 0, 0, 0)
MODE = 0o100644 << 16


def wheels(folder: Path) -> list[Path]:
    """Those of the requirements, with the hashes that they must have."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes", "--dest", str(folder), "--requirement", str(REQUIREMENTS)]
    subprocess.run(command, check=True)
    return sorted(folder.glob("*.whl"))


def contents(found: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file of the function."""
    for path in OURS:
        yield path.relative_to(ROOT).as_posix(), path.read_bytes()
    for path in found:
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                if not name.endswith("/"):
                    yield name, wheel.read(name)


def packed(files: dict[str, bytes]) -> bytes:
    """A zip that depends on nothing but these."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, STAMP)
            entry.external_attr, entry.create_system = MODE, 3
            archive.writestr(entry, files[name])
    return made.getvalue()


def build(target: Path) -> Path:
    """The path of the zip; older ones in that folder go."""
    with tempfile.TemporaryDirectory() as folder:
        data = packed(dict(contents(wheels(Path(folder)))))
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("hyperpod-state-feed-*.zip"):
        old.unlink()
    path = target / f"hyperpod-state-feed-{sha256(data).hexdigest()[:12]}.zip"
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    try:
        print(build(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")))
    except subprocess.CalledProcessError:
        sys.exit("The function's dependencies could not be had: pip says why above.")
