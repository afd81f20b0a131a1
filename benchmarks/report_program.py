"""The program that Tessera replaces, done again for comparison: three MPI ranks behind a TCP socket.

    mpirun -n 3 python -m benchmarks.report_program PORT SUFFIX

Rank 0 takes one request: an image and the digit of an operation. It decodes the image whole, sends its upper
and its lower half to ranks 1 and 2, puts what they make of them on top of each other, and answers with the
encoded file. Seams, and a last row that is lost where the height is odd, are the program's own.

Three things differ, all in its favour: the length comes first, where the program took a second of silence for
the end of an upload; SUFFIX chooses the file, which was always JPEG; and it does more than four operations.
"""

import json
import socket
import sys
from typing import Any

import cv2
import numpy as np
from mpi4py import MPI

from benchmarks.processes import usage
from benchmarks.work import OPENCV_OPTIONS, WORK

LENGTH_BYTES = 8
DIGITS = {
    "canny": b"1",
    "invert": b"2",
    "median 11": b"3",
    "binarize": b"4",
    "gaussian": b"5",
    "clahe": b"6",
    "outlines": b"7",
}


def master(world: Any, port: int, suffix: str) -> None:
    """Serve one request."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        print("ready", flush=True)
        connection, _ = listener.accept()
    with connection, connection.makefile("rwb") as stream:
        request = stream.read(int.from_bytes(stream.read(LENGTH_BYTES)))
        image, operation = cv2.imdecode(np.frombuffer(request, np.uint8)[:-1], cv2.IMREAD_COLOR), request[-1]
        assert image is not None
        half = image.shape[0] // 2
        for rank in (1, 2):
            world.send(image[(rank - 1) * half : rank * half], dest=rank, tag=rank)
            world.send(operation, dest=rank, tag=rank + 2)
        halves = [world.recv(source=rank, tag=rank + 4) for rank in (1, 2)]
        answer = cv2.imencode(suffix, np.vstack(halves), OPENCV_OPTIONS[suffix])[1].tobytes()
        stream.write(len(answer).to_bytes(LENGTH_BYTES) + answer)


def worker(world: Any, rank: int) -> None:
    """Process one half."""
    part, digit = world.recv(source=0, tag=rank), world.recv(source=0, tag=rank + 2)
    (pipeline,) = (name for name, code in DIGITS.items() if code[0] == digit)
    world.send(WORK[pipeline].opencv(part), dest=0, tag=rank + 4)


def main() -> None:
    world = MPI.COMM_WORLD
    if world.Get_size() != 3:
        raise SystemExit("this program takes exactly 3 ranks")
    if world.Get_rank() == 0:
        master(world, int(sys.argv[1]), sys.argv[2])
    else:
        worker(world, world.Get_rank())
    found = world.gather(usage(), root=0)
    if found:
        total = {
            "peak": max(each["peak"] for each in found),
            "cpu": sum(each["cpu"] for each in found),
        }
        print(json.dumps(total), flush=True)


if __name__ == "__main__":
    main()
