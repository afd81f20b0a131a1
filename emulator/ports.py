"""Listening sockets."""

import errno
import socket

from emulator.errors import ConfigurationError, PortInUseError


def listen(host: str, port: int, option: str) -> socket.socket:
    """Open a listening socket.

    Parameters
    ----------
    host
        Address or name to listen on.
    port
        Port, 0 for any free one.
    option
        Command-line option that sets the port, for the message.

    Returns
    -------
    socket
        The socket.

    Raises
    ------
    PortInUseError
        When the port is taken.
    ConfigurationError
        When the address isn't one of this machine, or the port needs more rights.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        opened = socket.create_server((address[0], port), family=family, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"port {port} is taken on {host}: stop the program that listens there, "
                f"or choose another with {option} (0 takes any free one)"
            ) from error
        raise ConfigurationError(f"can't listen on {host}:{port}: {error}") from error
    opened.setblocking(False)
    return opened


def free_port(host: str) -> int:
    """Find a port that nobody listens on.

    Parameters
    ----------
    host
        Address to look at.

    Returns
    -------
    int
        The port.
    """
    with socket.create_server((host, 0)) as opened:
        return int(opened.getsockname()[1])
