"""The function app: settings are checked, then the blueprints are registered."""

import logging

import azure.durable_functions as df
import azure.functions as func

from function_app import (
    durable,
    maintenance,
    routes_batches,
    routes_catalogue,
    routes_jobs,
    routes_service,
    routes_uploads,
)
from function_app.services import services

# At INFO the storage SDK logs every request; libvips warns of each broken row of a damaged image, and the
# job's own error says it once.
logging.getLogger("azure").setLevel(logging.WARNING)
logging.getLogger("pyvips").setLevel(logging.ERROR)

# A wrong setting stops the app at its start, and not its first job.
services()

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(routes_uploads.blueprint)
app.register_functions(routes_jobs.blueprint)
app.register_functions(routes_batches.blueprint)
app.register_functions(routes_catalogue.blueprint)
app.register_functions(routes_service.blueprint)
app.register_functions(durable.blueprint)
app.register_functions(maintenance.blueprint)
