"""Quick tests with every supported Python that is here, each in an environment of its own with what the lock says.

Knows: which Pythons are supported (the classifiers in pyproject.toml), where interpreters are found, which tests.
Must not know: what is tested.

The environment that runs this is one of them, and is left out: `make test` runs everything there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOMES = ROOT / ".pythons"
STREAMS = (
    "known_faust",
    "transport",
    "restore",
    *("worker_unit", "lane", "ledger", "codecs"),
    "api",
    "http_tls",
    "client",
    "cli",
    "store",
    "alerts_post",
)
TESTS = (
    *("tests/test_models", "tests/test_packaging.py", *(f"tests/test_streams/test_{name}.py" for name in STREAMS)),
    "tests/broker/test_worker_end_to_end.py",
)
"""The fold and the judge; the wheel; where Python's own event loop, TLS and types matter; a worker on a real Kafka."""
SECONDS = 1800


def supported() -> list[str]:
    """By the classifiers."""
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["classifiers"]
    found = [re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each) for each in classifiers]
    return [each[1] for each in found if each]


def interpreter(version: str) -> Path | None:
    """One that runs: on the path, or where pyenv keeps them."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    on_path = shutil.which(f"python{version}")
    kept = sorted(root.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)
    for path in [*([Path(on_path)] if on_path else []), *kept]:
        asked = subprocess.run([path, "-c", "import venv, ensurepip"], capture_output=True, check=False)
        if asked.returncode == 0:
            return path
    return None


def environment(version: str, python: Path) -> Path:
    """Its folder, made anew where the lock or the project changed since."""
    home, mark = HOMES / version, HOMES / version / ".installed"
    needed = [ROOT / "requirements.lock", ROOT / "pyproject.toml"]
    if mark.exists() and all(mark.stat().st_mtime > path.stat().st_mtime for path in needed):
        return home
    _run(python, "-m", "venv", "--clear", home)
    pip = (home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements.lock")
    _run(*pip, "--editable", ".[dev]")
    mark.touch()
    return home


def failed(wanted: list[str]) -> Iterator[str]:
    """Versions whose tests fail; of those that are not here, a line says so."""
    for version in wanted:
        python = interpreter(version)
        if python is None:
            print(f"There is no Python {version} here: nothing was tried with it.", flush=True)
            continue
        print(f"Python {version}: {python}", flush=True)
        home = environment(version, python)
        tests = [home / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
        if subprocess.run(tests, cwd=ROOT, timeout=SECONDS, check=False).returncode:
            yield version


def _run(*command: object) -> None:
    subprocess.run([str(word) for word in command], cwd=ROOT, timeout=SECONDS, check=True)


def main(words: list[str]) -> int:
    """1 where tests fail, 2 where something is asked for that is not supported."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if unknown := set(words) - set(supported()):
        print(f"{', '.join(sorted(unknown))} is none of {', '.join(supported())}", file=sys.stderr)
        return 2
    bad = list(failed(words or [each for each in supported() if each != here]))
    if bad:
        print(f"Tests fail with Python {', '.join(bad)}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
