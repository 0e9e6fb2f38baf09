"""Runs a program to its end and says, as JSON on file descriptor 3, what it took: seconds, CPU, memory at its peak, and
bytes that had to be read from a device.

Memory is taken and given back before it starts: what a machine has to fetch from its host, or to clear, before a
program can have it would go into the time of the shortest steps, and differs from one moment to the next.
Its standard output goes nowhere unless a path to compare with is given: then it is read and compared, byte for byte.
usage: measure.py [--compare FILE] -- PROGRAM [ARGUMENT ...]
"""

import json
import mmap
import os
import signal
import subprocess
import sys
import threading
import time

PIECE = 4 << 20
TAKEN = 512 << 20
PAGE = 4096


def take_memory():
    """In a process of its own: the peak of whoever starts a program counts as that program's."""
    taker = os.fork()
    if taker == 0:
        with mmap.mmap(-1, TAKEN) as memory:
            for at in range(0, TAKEN, PAGE):
                memory[at] = 1
        os._exit(0)
    os.waitpid(taker, 0)


def compare(pipe, path, outcome):
    """Whether a pipe gives what a file holds; reads it to its end in any case."""
    same = True
    with open(path, "rb") as file:
        while True:
            ours = pipe.read(PIECE)
            same = same and ours == file.read(len(ours) if ours else PIECE)
            if not ours:
                break
    outcome["same"] = same


def main():
    arguments = sys.argv[1:]
    path = None
    if arguments[0] == "--compare":
        path = arguments[1]
        arguments = arguments[2:]
    command = arguments[1:]
    outcome = {}
    take_memory()
    start = time.monotonic()
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if path else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    signal.signal(signal.SIGTERM, lambda *_: (child.kill(), os._exit(1)))
    said = []
    threads = [threading.Thread(target=lambda: said.append(child.stderr.read()))]
    if path:
        threads.append(threading.Thread(target=compare, args=(child.stdout, path, outcome)))
    for thread in threads:
        thread.start()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    for thread in threads:
        thread.join()
    outcome.update(
        code=child.returncode,
        seconds=seconds,
        cpuSeconds=usage.ru_utime + usage.ru_stime,
        peakBytes=usage.ru_maxrss * 1024,
        deviceReadBytes=usage.ru_inblock * 512,
        said=b"".join(said).decode("utf-8", "replace")[-600:],
    )
    os.write(3, json.dumps(outcome).encode())


main()
