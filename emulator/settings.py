"""What the app's host.json and local.settings.json say."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.app_settings import read_json, resolve
from emulator.errors import ConfigurationError, UnsupportedFeatureError

_HUB_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2,44}")
_UNHEEDED = (
    "functionTimeout",
    "healthMonitor",
    "retry",
    "extensions.http.maxConcurrentRequests",
    "extensions.http.maxOutstandingRequests",
    "extensions.http.customHeaders",
    "extensions.http.hsts",
    "extensions.durableTask.notifications",
    "extensions.durableTask.versionMatchStrategy",
    "extensions.durableTask.versionFailureStrategy",
    "extensions.durableTask.overridableExistingInstanceStates",
    "extensions.durableTask.useAppLease",
)
_LEVELS = {
    "trace": 0,
    "debug": 10,
    "information": 20,
    "warning": 30,
    "error": 40,
    "critical": 50,
    "none": 100,
}


@dataclass(frozen=True)
class PoolLimits:
    """How many workers, after how long an idle one goes, how many functions of a kind one runs at once.

    With *http*, so many workers more serve requests and nothing else, as the HTTP group of a Flex Consumption
    plan has instances of its own.
    """

    least: int
    most: int
    idle_seconds: float
    slots: Mapping[str, int]
    http: int = 0


@dataclass(frozen=True)
class HostSettings:
    """The part of host.json the emulator acts on; ``unheeded`` names settings that only Azure acts on."""

    route_prefix: str = "api"
    task_hub: str = "TestHubName"
    max_activities: int = 10
    max_orchestrators: int = 10
    default_version: str | None = None
    unheeded: tuple[str, ...] = ()
    log_levels: Mapping[str, int] = field(default_factory=dict)

    def log_level(self, function: str | None) -> int:
        """Give the least level at which a function's records are shown.

        Parameters
        ----------
        function
            Function name, or None for records that belong to no function.

        Returns
        -------
        int
            Level as a number of the logging module.
        """
        wanted = [f"Function.{function}.User", f"Function.{function}", "Function"] if function else []
        for category in [*wanted, "default"]:
            if category in self.log_levels:
                return self.log_levels[category]
        return 20


def host_settings(app: Path, environment: Mapping[str, str]) -> HostSettings:
    """Read host.json.

    Parameters
    ----------
    app
        The app folder.
    environment
        The app settings, for ``%NAME%`` references.

    Returns
    -------
    HostSettings
        The settings, with the defaults of the real host.

    Raises
    ------
    ConfigurationError
        When the file is missing or a value is invalid.
    UnsupportedFeatureError
        When a durable storage provider other than Azure Storage is asked for.
    """
    path = app / "host.json"
    if not path.exists():
        raise ConfigurationError(f"{app} is no function app: it has no host.json. Pass its folder with --app")
    content = _overridden(read_json(path), environment)
    extensions = content.get("extensions", {})
    durable = extensions.get("durableTask", {})
    provider = durable.get("storageProvider", {}).get("type", "AzureStorage")
    if provider.lower() not in ("azurestorage", "azure_storage"):
        raise UnsupportedFeatureError(
            f"{path}: the durable storage provider '{provider}' isn't emulated; "
            f"override it locally with the app setting AzureFunctionsJobHost__extensions__durableTask__"
            f"storageProvider__type=AzureStorage or use the default"
        )
    hub = resolve(str(durable.get("hubName", "TestHubName")), environment)
    if not _HUB_NAME.fullmatch(hub):
        raise ConfigurationError(
            f"{path}: hubName '{hub}' must be 3 to 45 letters and digits and start with a letter"
        )
    processors = os.cpu_count() or 1
    return HostSettings(
        route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
        task_hub=hub,
        max_activities=_positive(durable, "maxConcurrentActivityFunctions", 10 * processors, path),
        max_orchestrators=_positive(durable, "maxConcurrentOrchestratorFunctions", 10 * processors, path),
        default_version=durable.get("defaultVersion"),
        log_levels=_log_levels(content, path),
        unheeded=tuple(name for name in _UNHEEDED if _lookup(content, name) is not None),
    )


def _overridden(content: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Apply app settings such as ``AzureFunctionsJobHost__extensions__http__routePrefix``."""
    for name, text in environment.items():
        prefix, *path = name.split("__")
        if prefix != "AzureFunctionsJobHost" or not path:
            continue
        section = content
        for key in path[:-1]:
            section = section.setdefault(key, {})
        try:
            section[path[-1]] = json.loads(text)
        except ValueError:
            section[path[-1]] = text
    return content


def _lookup(content: Any, name: str) -> Any:
    for key in name.split("."):
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def _positive(section: Mapping[str, Any], name: str, default: int, path: Path) -> int:
    value = section.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(f"{path}: {name} must be a whole number of at least 1, not {value!r}")
    return value


def _log_levels(content: Mapping[str, Any], path: Path) -> dict[str, int]:
    levels = {}
    for category, level in content.get("logging", {}).get("logLevel", {}).items():
        if str(level).lower() not in _LEVELS:
            raise ConfigurationError(
                f"{path}: unknown log level '{level}' for '{category}'; use {', '.join(_LEVELS)}"
            )
        levels[category] = _LEVELS[str(level).lower()]
    return levels
