"""``python -m tessera_client`` is the command."""

from tessera_client.command import main

main()
