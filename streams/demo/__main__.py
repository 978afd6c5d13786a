"""`python -m streams.demo`: the command line of the demo.

Knows: options, exit codes.
Must not know: how the demo is played.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kafka.errors import KafkaError

from streams.demo.play import Options, play
from streams.demo.stage import BrokerError, StageError

PROGRAM = "python -m streams.demo"
UNAVAILABLE = 3
TEXT = """\
Start a real Kafka and the worker here, and let a made-up fleet with a scripted incident flow through them.
Nothing is asked, nothing outside this machine is touched, settings HYPERPOD_STATE_* are not used.
It stays until Ctrl-C; then worker and Kafka end as well, also when the demo itself is killed."""
ENDING = """\
The data of a former demo is removed at the start, not at the end: what was left can be looked at until then.
Exit codes: 0 stopped by Ctrl-C or SIGTERM, 2 usage, 3 Kafka or the worker could not be started or ended by itself."""


def main(words: list[str] | None = None) -> int:
    """Runs the demo; returns the exit code."""
    try:
        return play(_options(words))
    except (StageError, BrokerError, KafkaError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return UNAVAILABLE


def _options(words: list[str] | None) -> Options:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog=PROGRAM, description=TEXT, epilog=ENDING, formatter_class=form)
    add = parser.add_argument
    add("--data", type=Path, default=Path(".run/demo"), metavar="DIR", help="its folder (default %(default)s)")
    add(
        "--port",
        type=_port,
        default=8780,
        metavar="N",
        help="HTTP; another one where it is taken (default %(default)s)",
    )
    add("--kafka-port", type=_port, default=19092, metavar="N", help="the same for Kafka (default %(default)s)")
    add("--speed", type=_speed, default=30.0, metavar="N", help="times as fast as it happens (default %(default)g)")
    given = parser.parse_args(words)
    return Options(given.data, given.port, given.kafka_port, given.speed)


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError(text)
    return number


def _speed(text: str) -> float:
    times = float(text)
    if not 1 <= times <= 3600:
        raise ValueError(text)
    return times


if __name__ == "__main__":
    sys.exit(main())
