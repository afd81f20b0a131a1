"""App settings: the environment and local.settings.json."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulator.errors import ConfigurationError

_APP_SETTING = re.compile(r"%([^%]+)%")


def resolve(text: str, environment: Mapping[str, str]) -> str:
    """Replace ``%NAME%`` by the app setting of that name.

    Parameters
    ----------
    text
        Text with any number of references.
    environment
        The app settings.

    Returns
    -------
    str
        The text with its references replaced.

    Raises
    ------
    ConfigurationError
        When a referenced setting doesn't exist.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise ConfigurationError(
                f"'{text}' refers to the app setting '{match[1]}', which isn't set: "
                f"add it to Values in local.settings.json or to the environment"
            )
        return environment[match[1]]

    return _APP_SETTING.sub(value, text)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    dict
        Its content.

    Raises
    ------
    ConfigurationError
        When it can't be read or isn't a JSON object.
    """
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} can't be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} must hold a JSON object")
    return content


def app_environment(app: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Join local.settings.json with the environment, which wins.

    Parameters
    ----------
    app
        The app folder.
    environment
        The emulator's own environment.

    Returns
    -------
    dict
        The environment for worker processes.

    Raises
    ------
    ConfigurationError
        When local.settings.json can't be read, is encrypted, or names another language than Python.
    """
    path = app / "local.settings.json"
    content = read_json(path) if path.exists() else {}
    if content.get("IsEncrypted"):
        raise ConfigurationError(
            f"{path} is encrypted: run `func settings decrypt` or set IsEncrypted to false"
        )
    values = {str(name): str(value) for name, value in content.get("Values", {}).items()}
    joined = {**values, **environment}
    language = joined.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
    if language != "python":
        raise ConfigurationError(
            f"FUNCTIONS_WORKER_RUNTIME is '{language}'; the emulator runs Python apps only"
        )
    joined["AzureWebJobsScriptRoot"] = str(app)
    joined.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    return joined
