"""A small Azure Functions host for local work and tests; see README.md in this folder."""
