"""Watches the system calls of a service while it answers: it calls nobody and writes no file.

    privacy.py PROGRAM

PROGRAM is the binary of coxa. It runs under `strace` on a free port and is sent every example of the OpenAPI document,
each also with addresses, file names and templates in place of its texts, and reads of every sort. From its start line
on, no socket may be connected, no name looked up, and no file be created, changed, renamed or opened for writing.

Prints how many requests and how many calls that was.
"""

import http.client
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

# Calls that reach outward, make or change a file, or start a program.
WATCHED = (
    "connect,sendto,sendmsg,sendmmsg,bind,open,openat,openat2,creat,rename,renameat,renameat2,link,linkat,symlink,"
    "symlinkat,unlink,unlinkat,mkdir,mkdirat,mknod,mknodat,truncate,ftruncate,chmod,fchmod,fchmodat,mmap,"
    "memfd_create,execve,execveat,write,writev,pwrite64,sendfile,io_uring_setup"
)

# Texts that a careless service would follow.
BAITS = [
    "http://192.0.2.1/evil",
    "file:///etc/passwd",
    "\\\\192.0.2.1\\share",
    "{{7*7}}${jndi:ldap://192.0.2.1/a}",
    "../../../../tmp/evil",
]

READS = ["/", "/docs/", "/openapi.json", "/openapi.yaml", "/v1/conditions", "/v1/conditions?q=hip", "/v1/findings/fever",
         "/v1/questionnaire", "/v1/sources", "/problems/invalid-request", "/readyz", "/version", "/nowhere"]


def fail(message):
    raise SystemExit(f"privacy.py: {message}")


def baited(tree, bait):
    """The tree with the bait in place of each text."""
    if isinstance(tree, dict):
        return {name: baited(inner, bait) for name, inner in tree.items()}
    if isinstance(tree, list):
        return [baited(inner, bait) for inner in tree]
    return bait if isinstance(tree, str) else tree


def corpus():
    """Method, path and body of each request."""
    folder = pathlib.Path(__file__).parent.parent / "openapi" / "examples"
    paths = {"assessments": "/v1/assessments", "return-to-run": "/v1/return-to-run"}
    for file in sorted(folder.glob("*/*.json")):
        example = json.loads(file.read_text())
        path = paths.get(file.parent.name) or example["path"]
        for body in [example["request"], *(baited(example["request"], bait) for bait in BAITS)]:
            yield "POST", path, json.dumps(body)
        yield "POST", path, json.dumps(example["request"])[:-3]
    yield "POST", "/v1/assessments", "x" * 100_000
    for path in READS:
        yield "GET", path, None


def offence(call, stderr):
    """Why a line of the trace breaks the promise, or nothing."""
    match = re.match(r"(?:\d+ +)?(\w+)\((.*)", call)
    if not match:
        return None
    name, rest = match.groups()
    if name in ("write", "writev", "pwrite64", "sendfile"):
        # With `-y` each descriptor bears its name: sockets, wake-ups and standard error are no files.
        target = re.match(r"\d+<([^>]*)", rest)
        harmless = target and re.match(r"(socket|TCP|UNIX|anon_inode|pipe)", target[1])
        return None if harmless or re.match(rf"[12]<{re.escape(stderr)}>", rest) else "writes to a file"
    if name in ("open", "openat", "openat2"):
        writing = re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)", rest)
        return "opens a file for writing" if writing else None
    if name == "mmap":
        return "maps a file for writing" if re.search(r"PROT_WRITE.*MAP_SHARED(?!.*MAP_ANONYMOUS)", rest) else None
    if name in ("sendto", "sendmsg", "sendmmsg"):
        # An answer goes to the client that asked: such a socket was accepted, and names no other address.
        return "sends to an address" if re.search(r"sa_family=|msg_name=\{", rest) else None
    return f"calls {name}"


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        trace, log = pathlib.Path(folder) / "trace", pathlib.Path(folder) / "log"
        command = ["strace", "-f", "-y", "-s", "256", "-e", f"trace={WATCHED}", "-o", str(trace), program,
                   "serve", "--listen", "127.0.0.1:0"]
        with log.open("wb") as stderr:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            address = None
            while not address:
                if process.poll() is not None:
                    fail(f"the service ended before it listened: {log.read_text()}")
                address = re.search(r"listening on http://127\.0\.0\.1:(\d+)", log.read_text())
            began = len(trace.read_text().splitlines())
            count = 0
            for method, path, body in corpus():
                connection = http.client.HTTPConnection("127.0.0.1", int(address[1]), timeout=30)
                try:
                    connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
                    answer = connection.getresponse()
                    answer.read()
                except BrokenPipeError:
                    # Too large a body is refused while it is still sent.
                    continue
                finally:
                    connection.close()
                if answer.status >= 500:
                    fail(f"{method} {path}: {answer.status}")
                count += 1
            # The service itself, not strace: it forwards nothing.
            children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            subprocess.run(["kill", "-TERM", *children], check=True)
            process.wait(timeout=30)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
        calls = trace.read_text().splitlines()
        # The start must show that files which are opened are seen at all.
        if not any("openat(" in call for call in calls[:began]):
            fail("strace saw no file opened at the start: it does not watch")
        offences = [(why, call) for call in calls[began:] if (why := offence(call, str(log)))]
        for why, call in offences[:20]:
            print(f"{why}: {call}", file=sys.stderr)
        if offences:
            fail(f"{len(offences)} calls reach outside")
        if count < 150:
            fail(f"only {count} requests were answered")
        print(f"{count} requests, {len(calls) - began} calls watched: 0 connections outward, 0 files written")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
