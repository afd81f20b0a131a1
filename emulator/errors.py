"""Errors of the emulator: one root class, one class per thing the caller can act on."""


class EmulatorError(Exception):
    """Root of all errors the emulator raises on purpose."""


class ConfigurationError(EmulatorError):
    """The app folder, host.json, local.settings.json or the command line can't be used as given."""


class UnsupportedFeatureError(ConfigurationError):
    """The app uses a trigger, binding or setting that the emulator doesn't have."""


class AppLoadError(EmulatorError):
    """A worker process couldn't import or index the app."""


class PortInUseError(EmulatorError):
    """A TCP port the emulator was told to listen on is taken."""


class StateError(EmulatorError):
    """The state file can't be opened, read or written."""


class StateInUseError(StateError):
    """Another running emulator holds the state file."""


class AzuriteError(EmulatorError):
    """Azurite or the Node runtime it needs can't be found or started."""


class WorkerDiedError(EmulatorError):
    """A worker process ended while it was running an invocation."""


class WorkerKilledError(WorkerDiedError):
    """Somebody ended a worker process by signal 9 while it started: nothing is wrong with the app."""


class InstanceNotFoundError(EmulatorError):
    """No orchestration instance has the given id."""


class InstanceConflictError(EmulatorError):
    """The orchestration instance is in a state in which the operation is refused."""


class InvalidRequestError(EmulatorError):
    """An argument of a management operation is invalid."""
