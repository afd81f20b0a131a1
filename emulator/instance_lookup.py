"""Looking up one instance for the management API."""

from functools import partial

from emulator import records
from emulator.errors import InstanceNotFoundError
from emulator.records import Instance
from emulator.store import Store


async def find_instance(store: Store, instance_id: str) -> Instance:
    """Look an instance up.

    Parameters
    ----------
    store
        The state.
    instance_id
        The instance.

    Returns
    -------
    Instance
        Its record.

    Raises
    ------
    InstanceNotFoundError
        When there is none.
    """
    instance = await store.read(partial(records.find_instance, instance_id=instance_id))
    if instance is None:
        raise InstanceNotFoundError(f"No instance with ID '{instance_id}' found.")
    return instance
