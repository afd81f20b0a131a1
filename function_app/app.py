"""The function app: settings are checked, then the blueprints are registered."""

import logging

import azure.durable_functions as df
import azure.functions as func

from function_app import durable
from function_app.services import services

# At INFO the SDK logs every request to storage.
logging.getLogger("azure").setLevel(logging.WARNING)

# A wrong setting stops the app at its start, and not its first job.
services()

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in (durable.blueprint,):
    app.register_functions(blueprint)
