"""The configuration file of the `tessera` command."""

import os
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

VARIABLE = "TESSERA_CONFIG"
KEY = "api_key"


class ConfigError(Exception):
    """The file can't be read, isn't TOML, or holds something that no command knows."""


def default_path() -> Path:
    """Return where the file is looked for unless `TESSERA_CONFIG` or ``--config`` names another."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "tessera" / "config.toml"


def cache_folder() -> Path:
    """Return the folder for what may be lost at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tessera"


def load(path: Path | None) -> dict[str, Any]:
    """Read the file; without one at the default place, nothing is configured.

    Raises
    ------
    ConfigError
        When the file that was named doesn't exist, can't be read or isn't TOML.
    """
    try:
        with (path or default_path()).open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError as missing:
        if path is None:
            return {}
        raise ConfigError(f"there is no configuration file {path}") from missing
    except OSError as unreadable:
        raise ConfigError(f"cannot read {path or default_path()}: {unreadable.strerror}") from unreadable
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as invalid:
        raise ConfigError(f"{path or default_path()} is not TOML: {invalid}") from invalid


def defaults(config: Mapping[str, Any], options: Mapping[str, Collection[str]]) -> dict[str, dict[str, Any]]:
    """Return the defaults of each command: what is at the top of the file, and over it its own table.

    Parameters
    ----------
    config : mapping
        What `load` gave.
    options : mapping of str to collection of str
        The names of each command's options, with underscores.

    Raises
    ------
    ConfigError
        When no command has such an option, or there is no such command.
    """
    plain = {_name(key): value for key, value in config.items() if not isinstance(value, Mapping)}
    plain.pop(KEY, None)
    known = {name for names in options.values() for name in names}
    if unknown := sorted(plain.keys() - known):
        raise ConfigError(f"no command has an option '{unknown[0]}'")
    found = {
        command: {name: value for name, value in plain.items() if name in names}
        for command, names in options.items()
    }
    for command, table in config.items():
        if not isinstance(table, Mapping):
            continue
        if command not in options:
            raise ConfigError(f"there is no command '{command}'")
        own = {_name(key): value for key, value in table.items()}
        if unknown := sorted(own.keys() - set(options[command])):
            raise ConfigError(f"`tessera {command}` has no option '{unknown[0]}'")
        found[command] |= own
    return found


def is_private(path: Path) -> bool:
    """Say whether nobody but the owner may read the file."""
    return os.name != "posix" or not path.stat().st_mode & 0o077


def _name(key: str) -> str:
    return key.replace("-", "_")
