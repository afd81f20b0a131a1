"""Entry point of the function app, named by the setting PYTHON_SCRIPT_FILE_NAME."""

from function_app import app

__all__ = ["app"]
