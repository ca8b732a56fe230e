"""Shows that the time of a refusal does not tell how much of a key was guessed.

    key_timing.py BINARY

Sends 20,000 wrong keys to a service with one key, in pairs of random order: one that begins as the key does and differs from
it in its last letter alone, one that differs in its first letter too. Prints Welch's t of the two times and fails where it
is 4.5 or more: as far apart they would be by chance once in a hundred thousand runs.
"""

import gc
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import time

PAIRS = 10_000
# Until caches, the allocator and the clock of the processor have settled.
WARM_UP = 500
LIMIT = 4.5


def other(letter):
    """A letter that is not this one."""
    return "A" if letter != "A" else "B"


def refused(connection, key):
    """How long it takes to refuse a key, in nanoseconds."""
    request = f"GET /v1/catalogue HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\n\r\n".encode()
    began = time.perf_counter_ns()
    connection.sendall(request)
    answer = connection.recv(16384)
    took = time.perf_counter_ns() - began
    if not answer.startswith(b"HTTP/1.1 401 ") or not answer.endswith(b"}"):
        raise SystemExit(f"not one whole refusal: {answer[:200]}")
    return took


def measure(address, key):
    """The times of keys that begin well, and of those that do not."""
    near = key[:-1] + other(key[-1])
    far = other(near[0]) + near[1:]
    times = {near: [], far: []}
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for turn in range(-WARM_UP, PAIRS):
            for guess in random.sample((near, far), 2):
                took = refused(connection, guess)
                if turn >= 0:
                    times[guess].append(took)
    return times[near], times[far]


def welch(one, other_one):
    """Welch's t."""
    error = sum(statistics.variance(times) / len(times) for times in (one, other_one)) ** 0.5
    return (statistics.fmean(one) - statistics.fmean(other_one)) / error


def main(binary):
    made = subprocess.run([binary, "key", "new", "timing"], text=True, check=True, capture_output=True)
    said = made.stdout + made.stderr
    key = re.search(r"\bcoxa_\w+", said)[0]
    entry = re.search(r"timing:[0-9a-f]{64}", said)[0]
    environment = {**os.environ, "COXA__AUTH__KEYS": entry, "COXA__TELEMETRY__ACCESS_LOG": "false",
                   "COXA__SERVER__WORKERS": "1"}
    service = subprocess.Popen([binary, "serve", "--listen", "127.0.0.1:0"], text=True, env=environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        host, port = re.search(r"http://([\d.]+):(\d+)", service.stderr.readline()).groups()
        gc.disable()
        near, far = measure((host, int(port)), key)
    finally:
        service.terminate()
        service.wait(timeout=30)
    t = welch(near, far)
    print(f"{len(near) + len(far)} wrong keys, half of them right but for the last letter: Welch's t is {abs(t):.1f}")
    if abs(t) >= LIMIT:
        raise SystemExit(f"the time of a refusal tells how a key begins: {LIMIT} is the limit")


if __name__ == "__main__":
    main(sys.argv[1])
