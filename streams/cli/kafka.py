"""What commands that ask Kafka themselves share: the worker's settings, and Kafka's failures as messages.

Knows: the option that names the brokers, exit codes.
Must not know: what is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams import config_file
from streams.cli.errors import CliError, usage

if TYPE_CHECKING:
    from streams.settings import Settings

Brokers = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Kafka's bootstrap servers.  [env: HYPERPOD_STATE_BROKERS]")
]


def settings_of(given: dict[str, Any]) -> Settings:
    """The worker's settings from the environment, with what was given as options; None was not given."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from streams.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(["HYPERPOD_STATE", *(str(part) for part in first["loc"])]).upper()
        hint = f"see {name}" if first["loc"] else "the message names the setting"
        why = first["msg"].removeprefix("Value error, ")
        raise usage(f"the settings cannot be used: {why}", hint) from None
    except SettingsError as error:  # a variable that should be JSON; the message names the setting alone
        raise usage(f"the settings cannot be used: {error}", "it has to be JSON") from None
    except config_file.BadFile as error:
        raise usage(f"the settings cannot be used: {error}", f"{config_file.VARIABLE} names that file") from None


@contextmanager
def kafka_failures() -> Iterator[None]:
    """Whatever Kafka refuses ends the command with 3."""
    from streams.settings import PlainError

    try:
        yield
    except PlainError as error:
        raise CliError(str(error)) from None
