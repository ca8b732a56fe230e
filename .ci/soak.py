"""Holds a service under a steady load and prints what it cost.

    soak.py SECONDS PROGRAM [RATE]

PROGRAM is the binary of coxa, RATE the requests a second (200). Four clients keep their connections; every fifth
request opens a new one. Fails where any answer is not 200, where a body differs from the first one for its request, where
descriptors or threads are more at the end than after the warm-up, where memory grows beyond the slope allowed, or where
less than nine tenths of the rate were held. Descriptors are counted for root alone: the service lets nobody else look.

The warm-up is the first tenth, at least five seconds. A slope says something from some minutes on: below 60 seconds the
growth since the warm-up is held against a fixed number of bytes instead.
"""

import http.client
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import threading
import time

# Growth allowed: a leak of 50 bytes a request at 200 requests a second is 36 MB an hour.
MOST_GROWTH_AN_HOUR = 8 * 1024 * 1024
MOST_GROWTH = 4 * 1024 * 1024
CLIENTS = 4
LONGEST_SHORT_RUN = 60


def bodies():
    folder = pathlib.Path(__file__).parent.parent / "openapi" / "examples" / "assessments"
    return [json.dumps(json.loads(file.read_text())["request"]) for file in sorted(folder.glob("*.json"))]


class Client(threading.Thread):
    """Sends requests at its share of the rate until the end."""

    def __init__(self, port, rate, end, requests):
        super().__init__(daemon=True)
        self.port, self.rate, self.end, self.requests = port, rate, end, requests
        self.count, self.late, self.faults, self.first, self.times = 0, 0, [], {}, []

    def run(self):
        connection = None
        due = time.monotonic()
        while time.monotonic() < self.end:
            due += 1 / self.rate
            if (pause := due - time.monotonic()) > 0:
                time.sleep(pause)
            method, path, body = self.requests[self.count % len(self.requests)]
            if connection is None or self.count % 5 == 0:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            began = time.monotonic()
            try:
                connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 200:
                    self.faults.append(f"{method} {path}: {answer.status}")
                elif self.first.setdefault((path, body), hash(text)) != hash(text):
                    self.faults.append(f"{method} {path}: other bytes than before")
            except OSError as error:
                self.faults.append(f"{method} {path}: {error!r}")
                connection = None
            self.times.append(time.monotonic() - began)
            self.count += 1


def sample(pid):
    """Resident bytes, descriptors, threads."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    field = lambda name: int(re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)[1])
    try:
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        # The service lets nobody but root look at it.
        descriptors = 0
    return field("VmRSS") * 1024, descriptors, field("Threads")


def slope(samples):
    """Growth of memory by least squares, in bytes an hour."""
    times, sizes = [at for at, _ in samples], [size for _, (size, _, _) in samples]
    return statistics.linear_regression(times, sizes).slope * 3600


def main(seconds, program, rate):
    variables = {name: value for name, value in os.environ.items() if not name.startswith("COXA_")}
    variables["COXA__TELEMETRY__ACCESS_LOG"] = "false"
    service = subprocess.Popen([program, "serve", "--listen", "127.0.0.1:0"], env=variables, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)", service.stderr.readline())[1])
        requests = [("POST", "/v1/assessments", body) for body in bodies()]
        requests += [("GET", path, None) for path in ("/v1/conditions", "/v1/findings?q=night", "/v1/questionnaire")]
        began = time.monotonic()
        clients = [Client(port, rate / CLIENTS, began + seconds, requests) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        warm = max(5, seconds / 10)
        samples = []
        while any(client.is_alive() for client in clients):
            time.sleep(min(1, seconds / 20))
            at = time.monotonic() - began
            if at >= warm:
                samples.append((at, sample(service.pid)))
        for client in clients:
            client.join()
        # Descriptors of the clients' last connections are still open, as they were at each sample.
        (_, first), (_, last) = samples[0], samples[-1]
        service.send_signal(signal.SIGTERM)
        status = service.wait(timeout=30)
    finally:
        if service.poll() is None:
            service.kill()
    faults = [fault for client in clients for fault in client.faults]
    count = sum(client.count for client in clients)
    times = sorted(taken for client in clients for taken in client.times)
    grown, hourly = last[0] - first[0], slope(samples)
    print(f"{count} requests in {seconds} s, {count / seconds:.0f} a second of {rate}: {len(faults)} not answered as they should be")
    print(f"memory {first[0] >> 20} MiB after the warm-up, {last[0] >> 20} MiB at the end, slope {hourly / 2**20:.1f} MiB an hour")
    print(f"descriptors {first[1]} to {last[1]}, threads {first[2]} to {last[2]}")
    print(f"p99 is {times[len(times) * 99 // 100] / times[len(times) // 2]:.1f} times the median")
    missed = faults[:10]
    if status != 0:
        missed.append(f"the service ended with {status}")
    if count < 0.9 * rate * seconds:
        missed.append("the rate was not held")
    if last[1] > first[1] + CLIENTS or last[2] > first[2]:
        missed.append("descriptors or threads grew")
    if (grown > MOST_GROWTH) if seconds <= LONGEST_SHORT_RUN else (hourly > MOST_GROWTH_AN_HOUR and grown > MOST_GROWTH):
        missed.append("memory grew")
    if missed:
        raise SystemExit("soak.py: " + "\n".join(missed))


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) == 4 else 200)
