"""Run atheris on one of the laws: `python -m tests.fuzz reads -runs=100000` (`make fuzz-bytes` does).

Knows: atheris and libFuzzer's options.  Must not know: what the laws say.

Everything it writes is under `.fuzz/`: what grew of the seeds, and in `.fuzz/found/` the input that broke a law.  That
one is mended, and its file kept in `tests/data/fuzz/found/`, where a test runs it from then on.
"""

from __future__ import annotations

import hashlib
import random
import sys
from pathlib import Path

WORK = Path(".fuzz")
RAW_SHARE = 0.25
"""Of all changes those that libFuzzer makes to the bytes themselves."""


def main() -> int:
    """Ends with libFuzzer's exit code."""
    try:
        import atheris
    except ImportError:
        print("atheris is not here: `make fuzz-bytes` installs it", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["models", "streams.replay", "streams.codecs"]):
        from tests.fuzz.laws import LAWS
    from tests.fuzz.mutator import mutate
    from tests.fuzz.seeds import found, seeds

    if len(sys.argv) < 2 or sys.argv[1] not in LAWS:
        print(f"say which law: {', '.join(LAWS)}", file=sys.stderr)
        return 2
    name = sys.argv.pop(1)

    def change(data: bytes, max_size: int, seed: int) -> bytes:
        raw = random.Random(seed).random() < RAW_SHARE
        made: bytes = atheris.Mutate(data, max_size) if raw else mutate(data, max_size, seed)
        return made

    sown, grown, broken = (_folder(each) for each in ("seeds", f"grown-{name}", "found"))
    for data in (*seeds(), *found().values()):
        (sown / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    options = ["-max_len=16384", "-timeout=20", "-rss_limit_mb=3000", f"-artifact_prefix={broken}/{name}-"]
    atheris.Setup([sys.argv[0], *options, *sys.argv[1:], str(grown), str(sown)], LAWS[name], custom_mutator=change)
    atheris.Fuzz()
    return 0


def _folder(name: str) -> Path:
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
