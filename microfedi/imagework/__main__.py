"""The child process: one request from standard input, one answer to standard output.

Request: a line of JSON, then the file. Answer: a line of JSON with the sizes of the files that
follow it, or a reason why there are none.
"""

import io
import json
import os
import resource
import sys

from microfedi import imagework


def main() -> int:
    """Do one piece of work; 1 if it failed without a reason that a person could understand."""
    _limit_this_process()
    request = json.loads(sys.stdin.buffer.readline(1000))
    try:
        header, files = _films(request) if request["work"] == "film" else _pictures(request)
    except Exception:  # decoders raise anything; whatever it was, the file cannot be read
        return 1
    header["sizes"] = [len(file) for file in files]
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n")
    for file in files:
        sys.stdout.buffer.write(file)
    sys.stdout.buffer.flush()
    return 0


def _pictures(request: dict[str, str]) -> tuple[dict[str, object], list[bytes | memoryview]]:
    from microfedi.imagework import pictures

    source = sys.stdin.buffer.read(imagework.MAX_BYTES + 1)
    header, data = pictures.rewritten(source, request["purpose"])
    return header, [data]


def _films(request: dict[str, str]) -> tuple[dict[str, object], list[bytes | memoryview]]:
    from microfedi.imagework import films

    # All is loaded: from here on nothing can be opened, no file and no socket.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    source = io.BytesIO()
    while piece := sys.stdin.buffer.read(1024 * 1024):
        source.write(piece)
        if source.tell() > imagework.MAX_FILM_BYTES:
            raise ValueError
    try:
        return films.remuxed(source, request["type"])
    except films.Refused as reason:
        return {"refused": reason.template, "values": reason.values}, []


def _limit_this_process() -> None:
    os.nice(10)  # pages and deliveries first
    for limit, value in (
        (resource.RLIMIT_AS, imagework.CHILD_MEMORY_BYTES),
        (resource.RLIMIT_CPU, imagework.CHILD_CPU_S),
        (resource.RLIMIT_NOFILE, imagework.CHILD_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    sys.exit(main())
