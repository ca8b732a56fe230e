"""Tries what is in the folder of operations against a real Prometheus that scrapes a running coxa.

    prometheus.py COXA FOLDER

Everything listens on free ports of this machine and ends with the script.
"""

import json
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

SETTINGS = """
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [ %(rules)s ]
scrape_configs:
  - job_name: coxa
    static_configs: [ { targets: [ "%(target)s" ] } ]
"""

# The names of metrics in an expression.
METRIC = re.compile(r"\b(?:coxa|process)_[a-z_]+\b|\bup\b")


def fetch(url, body=None, headers=()):
    request = urllib.request.Request(url, data=body, headers=dict(headers))
    try:
        # The certificate of the service is made here, and no authority knows it.
        with urllib.request.urlopen(request, timeout=10, context=ssl._create_unverified_context()) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        return error.read()


def until(what, holds, limit=60):
    """Waits until something holds, and gives what it gave."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            found = holds()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.2)
    raise SystemExit(f"after {limit} s: not {what}")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def expressions(folder):
    """Every expression of dashboard and alerts, with the dashboard's variables filled in."""
    with open(folder / "grafana/dashboard.json", encoding="utf-8") as file:
        panels = json.load(file)["panels"]
    shown = [target["expr"] for panel in panels for target in panel["targets"]]
    filled = {"$job": "coxa", "$instance": ".*", "$__rate_interval": "1m"}
    for name, value in filled.items():
        shown = [expression.replace(name, value) for expression in shown]
    return shown


def main():
    coxa, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as work:
        work, processes = pathlib.Path(work), []
        try:
            check(coxa, folder, work, processes)
        finally:
            for process in processes:
                process.kill()
                process.wait()


def check(coxa, folder, work, processes):
    def start(name, command, **more):
        log = open(work / f"{name}.log", "wb")
        processes.append(subprocess.Popen(command, stdout=log, stderr=log, **more))
        return work / f"{name}.log"

    # With TLS: else there is nothing to see of a certificate.
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "90",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", work / "key.pem", "-out", work / "certificate.pem"],
        check=True, capture_output=True,
    )
    log = start("coxa", [coxa, "serve", "--listen", "127.0.0.1:0"], env={
        "COXA__OPERATIONS__LISTEN": "127.0.0.1:0",
        "COXA__TLS__CERTIFICATE_FILE": str(work / "certificate.pem"),
        "COXA__TLS__PRIVATE_KEY_FILE": str(work / "key.pem"),
    })
    service = until("a start line", lambda: re.search(r"listening on (https://[^,]+),", log.read_text()))[1]
    operations = re.search(r"operations at http://([^/]+)/", log.read_text())[1]
    fetch(f"{service}/v1/assessments", b'{"age":40}', {"content-type": "application/json"})
    fetch(f"{service}/no-such-path")

    port = free_port()
    (work / "prometheus.yml").write_text(
        SETTINGS % {"rules": json.dumps(str((folder / "prometheus/alerts.yml").resolve())), "target": operations}
    )
    start(
        "prometheus",
        ["prometheus", f"--config.file={work}/prometheus.yml", f"--storage.tsdb.path={work}/data",
         f"--web.listen-address=127.0.0.1:{port}"],
    )

    def ask(path, **parameters):
        url = f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        answer = json.loads(fetch(url))
        if answer["status"] != "success":
            raise SystemExit(f"{path} {parameters}: {answer}")
        return answer["data"]

    def target():
        targets = ask("targets")["activeTargets"]
        return [target for target in targets if target["health"] == "up"]

    up = until("scraped", target)
    print(f"the target is up, its last scrape took {up[0]['lastScrapeDuration']:.3f} s")
    until("scraped twice", lambda: ask("query", query="count_over_time(up[1m]) > 2")["result"])

    rules = until("all alerts healthy", lambda: [
        rule for group in ask("rules")["groups"] for rule in group["rules"]
        if all(rule["health"] == "ok" for rule in group["rules"])
    ])
    firing = [alert["labels"]["alertname"] for alert in ask("alerts")["alerts"]]
    if firing:
        raise SystemExit(f"alerts on a healthy service: {firing}")
    print(f"{len(rules)} alerts loaded and healthy, none is raised")

    known = set(ask("label/__name__/values"))
    shown = expressions(folder)
    named = set(METRIC.findall(" ".join(shown + [rule["query"] for rule in rules])))
    if named - known:
        raise SystemExit(f"dashboard or alerts name metrics that are not there: {sorted(named - known)}")
    # A label that is misspelt makes a query empty, and Prometheus does not complain.
    empty = [expression for expression in shown if not ask("query", query=expression)["result"]]
    if empty:
        raise SystemExit(f"the dashboard would show nothing for: {empty}")
    own = {name for name in known if name.startswith("coxa_")}
    print(f"{len(named)} metrics named, all there; {len(own)} series names of coxa; {len(shown)} queries show something")


if __name__ == "__main__":
    main()
