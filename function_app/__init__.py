"""The Azure edge: HTTP routes, registration of orchestrators and activities, settings and Blob Storage."""

from function_app.app import app

__all__ = ["app"]
