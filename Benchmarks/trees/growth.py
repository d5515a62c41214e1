#!/usr/bin/env python3
"""Cost of a federated tree training as rows and banks grow: real processes over loopback.

    growth.py --bin .build/release --standard FILE --fit A_fit.csv B_fit.csv [--trees 10]
              [--rows 1 2 4 8] [--banks 3 10 30 100]

Rows grow by repeating the files' rows (the numbers in `row` go on counting); banks by dealing the
same rows out in turn. Prints one JSON line a step: seconds of the run, masked sums, bytes sent a
bank, processor seconds and peak memory of the coordinator and of the largest node, and the pooled
trainer's time on the same rows.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile


def table(paths):
    header, lines = None, []
    for path in paths:
        with open(path) as file:
            header = file.readline()
            lines += file.readlines()
    return header, lines


def deal(header, lines, banks, folder):
    """The same rows at so many banks, in turn; every bank has some of every kind."""
    column = header.rstrip("\n").split(",").index("row") if "row" in header.split(",") else None
    for bank in range(banks):
        name = f"{chr(65 + bank // 26)}{chr(65 + bank % 26)}"
        with open(os.path.join(folder, f"bank_{name}_fit.csv"), "w") as file:
            file.write(header)
            for number, line in enumerate(lines[bank::banks]):
                if column is not None:
                    cells = line.split(",")
                    cells[column] = str(number)
                    line = ",".join(cells)
                file.write(line)
        for part in ("valid", "test"):
            with open(os.path.join(folder, f"bank_{name}_{part}.csv"), "w") as file:
                file.write(header)
                file.writelines(lines[bank:2000 * banks:banks])


def figures(folder):
    peak, processor = {}, {}
    for name in sorted(os.listdir(os.path.join(folder, "logs"))):
        text = open(os.path.join(folder, "logs", name)).read()
        memory = re.findall(r"peak\.bytes=(\d+)", text)
        seconds = re.findall(r"cpu\.seconds=([0-9.]+)", text)
        if memory:
            role = "coordinator" if name.startswith("coordinator") else "node"
            peak[role] = max(peak.get(role, 0), int(memory[-1]))
            processor[role] = max(processor.get(role, 0), float(seconds[-1]))
    return peak, processor


def step(options, lines, header, banks, times):
    print(f"==> {banks} banks, {len(lines) * times} rows", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        data, out = os.path.join(scratch, "data"), os.path.join(scratch, "out")
        os.mkdir(data)
        deal(header, lines * times, banks, data)
        files = [os.path.join(data, name) for name in sorted(os.listdir(data)) if "_fit" in name]
        settings = ["--set", f"treesMax={options.trees}"]
        report = os.path.join(scratch, "report.json")
        subprocess.run(
            [os.path.join(options.bin, "fed"), "demo", "--data", data, "--standard",
             options.standard, "--algorithm", "gbdt", *settings, "--out", out, "--json", report],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pooled = json.loads(subprocess.run(
            [os.path.join(options.bin, "fed"), "train", "--standard", options.standard,
             "--algorithm", "gbdt", *settings, "--repeats", "2", "--json", *files],
            check=True, capture_output=True, text=True).stdout)
        demo = json.load(open(report))
        peak, processor = figures(out)
        print(json.dumps(dict(
            banks=banks, rows=len(lines) * times, trees=options.trees, slots=demo["slots"],
            seconds=demo["seconds"]["train"], pooled_seconds=pooled["seconds_train"],
            ratio_to_pooled=demo["seconds"]["train"] / pooled["seconds_train"],
            bytes_sent_a_bank=max(demo["bytes_sent"].values()),
            coordinator_processor_seconds=processor.get("coordinator"),
            largest_node_processor_seconds=processor.get("node"),
            coordinator_peak_bytes=peak.get("coordinator"),
            largest_node_peak_bytes=peak.get("node"))), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--standard", required=True)
    parser.add_argument("--fit", nargs="+", required=True)
    parser.add_argument("--trees", type=int, default=10)
    parser.add_argument("--rows", nargs="*", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--banks", nargs="*", type=int, default=[3, 10, 30, 100])
    options = parser.parse_args()
    header, lines = table(options.fit)
    for times in options.rows:
        step(options, lines, header, 5, times)
    for banks in options.banks:
        # Each bank is a process with a store of its own: many small ones take a part of the rows.
        step(options, lines[: max(1, len(lines) // 4)] if banks > 10 else lines, header, banks, 1)


if __name__ == "__main__":
    sys.exit(main())
