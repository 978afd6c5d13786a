"""One JSON text to another that a reader still gets far with: leaves, keys, nesting, wrappers, times, sentences.

Knows: wire keys and words (`tests.properties.absurd`), seeds.  Must not know: what becomes of it.

Bytes alone seldom spell an envelope; these changes keep most of one.  The same text and seed give the same change.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from tests.fuzz.seeds import seeds
from tests.properties.absurd import KEYS, WORDS

NUMBERS = (0, 1, -1, 2**53, 2**63, -(2**63), 2**64, 1e300, -0.5, 5e-324, 1_777_885_200_000, -62_135_596_800_000)
NUMBERS += (253_402_300_799_999, 253_402_300_800_000, 99_999_999_999.9995, 100_000_000_000)
TIMES = ("now", "2026-05-04", "2026-W19-1", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1e400", "-0")
TIMES += ("2024-02-30T00:00:00Z", "20260504T090001Z", "2026-05-04T24:00:00Z", "Mon, 04 May 2026 09:00:01 -9999", "٣")
ODD = ("\u0000", "\ufeff", "\u202e", "\x1b[2J", "a" * 300, "{", "[", "[[", "bnVsbA==", "W10=", "e30=", '"', "\\ud800")
DEEP = 80
Place = tuple[Any, Any]
"""A container, and the key or index of one of its members."""


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """A few changes at once; `max_size` cuts, as a limit on the way would."""
    chance = random.Random(seed)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = json.loads(chance.choice([each for each in seeds() if each[:1] in b"{["][:40]))
    root = [value]
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        chance.choice(CHANGES)(root, chance)
    try:
        text = json.dumps(root[0], ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")
    except RecursionError:
        return data
    return (_spoilt(text, chance) if chance.random() < 0.1 else text)[:max_size]


def _places(root: Any) -> list[Place]:
    found: list[Place] = []
    waiting = [root]
    while waiting:
        holder = waiting.pop()
        members = range(len(holder)) if isinstance(holder, list) else holder.keys()
        found += [(holder, name) for name in members]
        waiting += [holder[name] for name in members if isinstance(holder[name], dict | list)]
    return found


def _somewhere(root: Any, chance: random.Random, wanted: Callable[[Any], bool] = lambda _: True) -> Place | None:
    fit = [place for place in _places(root) if wanted(place[0][place[1]])]
    return chance.choice(fit) if fit else None


def _leaf(root: Any, chance: random.Random) -> None:
    if place := _somewhere(root, chance):
        place[0][place[1]] = chance.choice((None, True, [], {}, *WORDS, *NUMBERS, *TIMES, *ODD))


def _time(root: Any, chance: random.Random) -> None:
    """Numbers drift, by milliseconds or by years; so do the seconds of ISO times."""
    if place := _somewhere(root, chance, lambda each: isinstance(each, int | float) and not isinstance(each, bool)):
        drift = chance.choice((1, 999, 60_000, 3_600_000, 86_400_000, 10**10, 10**12)) * chance.choice((-1, 1))
        place[0][place[1]] += drift
    if place := _somewhere(root, chance, lambda each: isinstance(each, str) and each[:2] == "20" and each[-1:] == "Z"):
        moment = f"20{chance.randrange(100):02}-{chance.randrange(1, 14):02}-{chance.randrange(1, 32):02}T09:00:01Z"
        place[0][place[1]] = moment


def _sentence(root: Any, chance: random.Random) -> None:
    """Words of a sentence go, come twice or change places."""
    place = _somewhere(root, chance, lambda each: isinstance(each, str) and " " in each and len(each) < 2000)
    if place is None:
        return
    words = place[0][place[1]].split(" ")
    index, other = chance.randrange(len(words)), chance.randrange(len(words))
    words[index] = chance.choice(("", words[other], words[index] * 2, "Failed", "[a, b]", chance.choice(ODD)))
    place[0][place[1]] = " ".join(words)


def _gone(root: Any, chance: random.Random) -> None:
    if place := _somewhere(root, chance):
        if place[0] is root:
            root[0] = None
        else:
            del place[0][place[1]]


def _twice(root: Any, chance: random.Random) -> None:
    """A member once more: in its list, or by another key."""
    if place := _somewhere(root, chance):
        holder, name = place
        if isinstance(holder, dict):
            holder[chance.choice(KEYS)] = holder[name]
        elif holder is not root:
            holder.insert(chance.randrange(len(holder) + 1), holder[name])


def _moved(root: Any, chance: random.Random) -> None:
    """A copy of one part in another's place."""
    source, target = _somewhere(root, chance), _somewhere(root, chance)
    if source and target:
        target[0][target[1]] = json.loads(json.dumps(source[0][source[1]]))


def _renamed(root: Any, chance: random.Random) -> None:
    holders = [holder for holder, _ in _places(root) if isinstance(holder, dict)]
    if holders:
        holder = chance.choice(holders)
        holder[chance.choice(KEYS)] = holder.pop(chance.choice(list(holder)))


def _joined(root: Any, chance: random.Random) -> None:
    """Another seed in the same array: events meet that never met before."""
    text = chance.choice([each for each in seeds() if len(each) < 3000])
    try:
        other = json.loads(text)
    except ValueError:
        return
    root[0] = [root[0], other] if chance.random() < 0.5 else [other, root[0]]


def _wrapped(root: Any, chance: random.Random) -> None:
    place = _somewhere(root, chance) if chance.random() < 0.3 else (root, 0)
    if place:
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            place[0][place[1]] = chance.choice(WRAPPERS)(place[0][place[1]])


def _deeper(root: Any, chance: random.Random) -> None:
    """As deep as it may go, and a little deeper."""
    if place := _somewhere(root, chance):
        value = place[0][place[1]]
        for _ in range(chance.randrange(DEEP)):
            value = [value]
        place[0][place[1]] = value


def _spoilt(text: bytes, chance: random.Random) -> bytes:
    """One place of the text itself, as a bad transport would."""
    index = chance.randrange(len(text) + 1)
    new = chance.choice((b"", b"\xff", b"\x00", b"\xed\xa0\x80", b"\\ud800", b"NaN", b"1e999", b'"', b"\xef\xbb\xbf"))
    return text[:index] + new + text[index + chance.randrange(3) :]


def _text(value: Any) -> str:
    return json.dumps(value)


WRAPPERS: Sequence[Callable[[Any], Any]] = (
    _text,
    lambda value: base64.b64encode(_text(value).encode()).decode(),
    lambda value: [value],
    lambda value: {"Records": [{"messageId": "m", "body": _text(value)}]},
    lambda value: {"Records": [{"Sns": {"Type": "Notification", "Message": _text(value)}}]},
    lambda value: {"Messages": [{"Body": _text(value)}, {"Body": value}]},
    lambda value: {"Type": "Notification", "Message": value},
    lambda value: {"records": [{"key": "k", "value": value}]},
    lambda value: {"type": "BINARY", "data": base64.b64encode(_text(value).encode()).decode()},
    lambda value: {"value": {"type": "JSON", "data": value}},
    lambda value: {"Events": [value], "ObservedAt": "2026-05-04T09:00:00Z"},
    lambda value: {"EventDetails": value},
)
CHANGES: Sequence[Callable[[Any, random.Random], None]] = (
    *(_leaf, _leaf, _time, _time, _sentence, _sentence, _gone, _twice, _moved, _renamed, _joined, _wrapped, _wrapped),
    _deeper,
)
