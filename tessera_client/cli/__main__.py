"""``python -m tessera_client.cli`` is the command."""

from tessera_client.cli import main

main()
