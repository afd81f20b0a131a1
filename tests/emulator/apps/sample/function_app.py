"""A function app that uses everything the emulator has; the tests and the benchmark run it."""

import azure.durable_functions as df

# The app folder is on the path when a host runs the app, not when its types are checked.
import sample_failures  # type: ignore[import-not-found]
import sample_fans  # type: ignore[import-not-found]
import sample_http  # type: ignore[import-not-found]
import sample_waits  # type: ignore[import-not-found]
import sample_work  # type: ignore[import-not-found]

app = df.DFApp()
for module in (sample_http, sample_work, sample_fans, sample_waits, sample_failures):
    app.register_functions(module.bp)
