#!/usr/bin/env python3
"""Measures the scoring service under load with wrk, while models are swapped.

    measure.py --rows bank_A_test.csv --models model-1.json model-2.json
               [--rates 5000] [--connections 20] [--seconds 20] [--swap-every 1] [--json FILE]
               -- COMMAND ...

COMMAND starts the service; `{model}` in it becomes the path of the model file that is replaced
while the load runs, `{port}` the port, `{folder}` a scratch folder. Each row of the CSV file
becomes one request; the columns `row` and `fraud` are left out. Prints one JSON line a rate:

    asked_rate                            requests a second that were asked for; 0: all it can
    p50_ms p90_ms p99_ms p999_ms max_ms   latency over loopback, from the request's first byte
    requests_per_second failed_requests   failed: not answered, or not with 200
    hot_swaps                             models swapped meanwhile, as the service counts them
    cpu_cores load_cpu_cores              processor seconds a second, of the service and of wrk
    busy_cores                            the same of the whole machine, other programs included
"""

import argparse
import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
BODIES = 2_000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_bodies(rows, path):
    """One request body a line, of the file's first rows."""
    with open(rows, newline="") as source, open(path, "w") as out:
        for number, row in enumerate(csv.DictReader(source)):
            if number == BODIES:
                break
            features = {
                name: float(value) if value else None
                for name, value in row.items() if name not in ("row", "fraud")}
            body = {"id": str(number), "features": features}
            out.write(json.dumps(body, separators=(",", ":")) + "\n")


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return answer.read().decode()


def wait_until_ready(port, process):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"error: the service ended with {process.returncode} before it was ready")
        try:
            return get(port, "/readyz")
        except OSError:
            time.sleep(0.1)
    sys.exit("error: the service was not ready within a minute")


def swap_count(port):
    for line in get(port, "/metrics").splitlines():
        if line.startswith("fed_engine_swaps_total "):
            return int(line.split()[1])
    sys.exit("error: the service does not count its swaps")


def processor_seconds(process):
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy_seconds():
    with open("/proc/stat") as file:
        fields = [int(field) for field in file.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


# What an answer takes beside the pause before the next request, in milliseconds.
ANSWER_MS = 0.35


def load(options, rate, port, bodies, seconds):
    """Pauses are whole milliseconds; the number of connections makes up for the rest."""
    pause = max(1, round(1000 * options.connections / rate)) if rate else 0
    connections = round(rate * (pause + ANSWER_MS) / 1000) if rate else options.connections
    environment = {**os.environ, "BODIES": bodies, "DELAY_MS": str(pause)}
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "5s",
         "-s", os.path.join(HERE, "load.lua"), f"http://127.0.0.1:{port}/v1/score"],
        capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"error: wrk failed:\n{done.stderr}{done.stdout}")
    return json.loads(done.stdout.splitlines()[-1])


class Swapper(threading.Thread):
    """Replaces the model file from time to time, each time whole."""

    def __init__(self, models, target, interval):
        super().__init__(daemon=True)
        self.models, self.target, self.interval = models, target, interval
        self.stopped = threading.Event()

    def run(self):
        turn = 0
        while not self.stopped.wait(self.interval):
            turn += 1
            partial = self.target + ".partial"
            shutil.copyfile(self.models[turn % len(self.models)], partial)
            os.replace(partial, self.target)


def at_rate(options, rate, port, bodies, model, process):
    load(options, rate, port, bodies, 2)
    swapper = Swapper(options.models, model, options.swap_every)
    swaps = swap_count(port)
    processor, start, busy = processor_seconds(process), time.monotonic(), busy_seconds()
    children = sum(os.times()[2:4])
    if options.swap_every > 0:
        swapper.start()
    result = {"asked_rate": rate, **load(options, rate, port, bodies, options.seconds)}
    swapper.stopped.set()
    spent = time.monotonic() - start
    result["cpu_cores"] = round((processor_seconds(process) - processor) / spent, 3)
    result["load_cpu_cores"] = round((sum(os.times()[2:4]) - children) / spent, 3)
    result["busy_cores"] = round((busy_seconds() - busy) / spent, 3)
    result["hot_swaps"] = swap_count(port) - swaps
    return result


def measure(options, folder):
    port = free_port()
    model = os.path.join(folder, "model.json")
    shutil.copyfile(options.models[0], model)
    bodies = os.path.join(folder, "bodies.jsonl")
    write_bodies(options.rows, bodies)
    places = {"model": model, "port": str(port), "folder": folder}
    command = [part.format(**places) for part in options.command]
    process = subprocess.Popen(command, stderr=open(os.path.join(folder, "log"), "w"))
    try:
        wait_until_ready(port, process)
        results = []
        for rate in options.rates:
            results.append(at_rate(options, rate, port, bodies, model, process))
            print(json.dumps(results[-1]), flush=True)
        return results
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", required=True)
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--rates", type=int, nargs="+", default=[5000],
                        help="requests a second; 0: all it can")
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--swap-every", type=float, default=1.0)
    parser.add_argument("--json")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("error: wrk is not installed\nhint: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        results = measure(options, folder)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
