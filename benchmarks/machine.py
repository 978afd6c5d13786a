"""Where and with what was measured.

Knows: the machine, the versions of what was compared, the commit.
Must not know: results.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.ground import JAVA_PROJECT, PEERS, ROOT
from streams.kafka_jars import KAFKA_VERSION

OURS = ("faust-streaming", "aiokafka", "rocksdict", "msgspec", "orjson", "pydantic")
PEERS_OF = ("quixstreams", "confluent-kafka")
ASK = "import sys; from importlib.metadata import version; print(*(version(name) for name in sys.argv[1:]))"


def machine() -> dict[str, str]:
    """What it is, and not which one."""
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return {"processor": _processor(), "cores": str(os.cpu_count()), "memory": f"{gib:.0f} GiB", "system": _system()}


def free_bytes() -> int:
    """Memory that is to be had without anybody else's; all of it where that cannot be told."""
    lines = Path("/proc/meminfo").read_text().splitlines() if sys.platform == "linux" else []
    found = [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")]
    return found[0] if found else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def versions() -> dict[str, str]:
    """Of everything that was measured."""
    found = {"python": platform.python_version(), "kafka": KAFKA_VERSION, **{name: version(name) for name in OURS}}
    if PEERS.exists():
        told = subprocess.run([str(PEERS), "-c", ASK, *PEERS_OF], capture_output=True, text=True, check=False)
        found.update(zip(PEERS_OF, told.stdout.split(), strict=False))
    jars = sorted(JAVA_PROJECT.glob("target/lib/kafka-streams-*.jar"))
    if jars and shutil.which("java"):
        found["kafka-streams"] = jars[-1].stem.removeprefix("kafka-streams-")
        java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr.split('"')
        found["java"] = java[1] if len(java) > 1 else "unknown"
    return found


def commit() -> str:
    """Of the code, with `+` where it is not that commit any more; empty outside a repository."""
    run = ["git", "-C", str(ROOT)]
    head = subprocess.run([*run, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    changed = subprocess.run([*run, "status", "--porcelain", *CODE], capture_output=True, text=True, check=False)
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


CODE = (
    "models",
    "streams",
    "benchmarks/contenders",
    "benchmarks/parts",
    "benchmarks/kafka-streams",
    "benchmarks/scale",
)
"""What a figure depends on."""


def _processor() -> str:
    found = platform.processor()
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else found or platform.machine()


def _system() -> str:
    return f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}"
