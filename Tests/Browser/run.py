#!/usr/bin/env python3
"""Starts a bank's scoring service with open cases and works its page in a headless browser.

    run.py --bin .build/release

Everything is made here: a synthetic bank, its model, recorded transactions, a list, a token. Ends
with 0 when the page did what it should, and fails where there is no browser.
"""

import argparse
import csv
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
STANDARD = os.path.join(ROOT, "Datasets/standards/synthetic.json")
POLICY = os.path.join(ROOT, "Datasets/policies/cards.json")
TOKEN = "browser-test-" + "x" * 32


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, path, body=None):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def wait_until_ready(port, process):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"error: the service ended with {process.returncode} before it was ready")
        try:
            return ask(port, "/readyz")
        except OSError:
            time.sleep(0.1)
    sys.exit("error: the service was not ready within a minute")


def open_cases(port, rows):
    with open(rows, newline="") as source:
        lines = list(csv.DictReader(source))[:400]
    batch = [{
        "id": f"T{number}", "entity": f"C{number % 90}", "amount": 100 * (number % 50 + 1),
        "features": {name: float(value) if value else None
                     for name, value in line.items() if name not in ("row", "fraud")},
    } for number, line in enumerate(lines)]
    ask(port, "/v1/score?record=true", batch)
    ask(port, "/v1/lists", {"capacity": 12})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True, help="the folder of fed and fed-node")
    options = parser.parse_args()
    fed, node = (os.path.join(options.bin, name) for name in ("fed", "fed-node"))
    with tempfile.TemporaryDirectory() as folder:
        def file(name):
            return os.path.join(folder, name)
        run(fed, "synthetic", "--out", file("data"))
        rows = {part: file(f"data/bank_A_{part}.csv") for part in ("fit", "valid", "test")}
        run(fed, "train", "--standard", STANDARD, "--algorithm", "gbdt", "--set", "treesMax=30",
            "--out", file("joint.json"), rows["fit"])
        run(node, "combine", "--standard", STANDARD, "--model", file("joint.json"),
            "--fit", rows["fit"], "--valid", rows["valid"], "--set", "treesMax=30",
            "--out", file("model.json"))
        with open(file("token"), "w") as out:
            out.write(TOKEN + "\n")
        port = free_port()
        process = subprocess.Popen(
            [node, "score", "--standard", STANDARD, "--model", file("model.json"),
             "--policy", POLICY, "--http", f"127.0.0.1:{port}", "--state", file("state"),
             "--token", file("token"), "--log-level", "error"])
        try:
            wait_until_ready(port, process)
            open_cases(port, rows["test"])
            page = subprocess.run(
                [sys.executable, os.path.join(HERE, "review_page.py"),
                 f"http://127.0.0.1:{port}/", "--token", TOKEN])
            ended = page.returncode
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    if process.returncode != 0:
        sys.exit(f"error: the service ended with {process.returncode}")
    sys.exit(ended)


if __name__ == "__main__":
    main()
