"""A fleet that goes on for ever: what has happened up to now, and then what happens, when it happens.

Knows: the file that remembers since when there is a fleet, and how far it was told.
Must not know: clocks (every time is an argument), Kafka.

The same seed and beginning give the same events.  So a run that was ended is begun again by making them up anew, up to
where it was without handing them out: the fleet is the same, and whatever happened meanwhile comes at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

from streams.simulate.delivery import deliver
from streams.simulate.output import Values
from streams.simulate.run import Settings, begun

FOREVER = 100 * 365 * 86_400
"""Seconds of plans: nobody waits for their end."""
FLEET = ("seed", "clusters", "instances", "faults", "metadata", "polls")
"""Settings that make a fleet another one."""


class BadFile(Exception):
    """The file cannot be used; the message names it and the way out."""


class Remembered:
    """Since when, and how far.  Both epoch ms."""

    def __init__(self, path: Path, settings: Settings) -> None:
        """Raises BadFile where the file cannot be used, or is of another fleet."""
        self._path, self._fleet = path, {name: _plain(asdict(settings)[name]) for name in FLEET}
        found = self._read()
        self.begins = settings.start_ms if found is None else int(found["begins"])
        self.told = self.begins - 1 if found is None else int(found["told"])
        if found is None:  # before anything is sent: whoever goes on has to know since when, and be able to write it
            self.note(self.told)

    def _read(self) -> dict[str, Any] | None:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            other = sorted(name for name in FLEET if found["fleet"][name] != self._fleet[name])
            int(found["begins"]), int(found["told"])
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BadFile(f"{self._path}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError):
            raise BadFile(f"{self._path} is not what `simulate --live` has written. Name another file.") from None
        if other:
            raise BadFile(
                f"{self._path} is of another fleet, with other {', '.join(other)}. Remove it, or name another file."
            )
        known: dict[str, Any] = found
        return known

    def note(self, told: int) -> None:
        """All up to then is delivered.  Raises BadFile."""
        self.told = told
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            new.write_text(json.dumps({"fleet": self._fleet, "begins": self.begins, "told": told}), encoding="utf-8")
            new.replace(self._path)
        except OSError as error:
            raise BadFile(f"{self._path}: {error.strerror or error}") from None


class Live:
    """What one run hands out."""

    def __init__(self, settings: Settings, remembered: Remembered) -> None:
        self._settings, self._remembered = settings, remembered
        self._fleet = begun(replace(settings, start_ms=remembered.begins), FOREVER)
        self._chance = Random(f"{settings.seed} delivery")  # nosec B311  # makes up fleets, keeps no secret

    def step(self, now_ms: int, send: Callable[[Values], object]) -> int:
        """Hand out what has happened since the last step, and remember that; how many values.  Raises BadFile."""
        seconds = (now_ms - self._fleet.start_ms) // 1000
        until = self._fleet.start_ms + seconds * 1000
        self._fleet.kernel.run(seconds)
        due = [event for event in self._fleet.log if event.at_ms <= until]  # the API's answers may be of later
        self._fleet.log[:] = [event for event in self._fleet.log if event.at_ms > until]
        new = [event for event in due if event.at_ms > self._remembered.told]
        values = deliver(new, self._settings.habits, self._chance).values
        if values:
            send(values)
            self._remembered.note(until)
        return len(values)


def _plain(value: Any) -> Any:
    """As JSON has it."""
    return json.loads(json.dumps(value))
