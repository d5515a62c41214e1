#!/usr/bin/env python3
"""Measures this project against public tools in one run on one machine, and prints ratios.

    ./dev bench logistic|masks|csv|trees|features|indicators|secure-aggregation|
                scoring|all
                [--data DIR --standard FILE] [--also DIR FILE] [--raw FILE] [--json FILE]

DIR holds bank_<NAME>_<fit|valid|test>.csv; without it a synthetic consortium is made. The public
tools (scikit-learn, pandas, xgboost, lightgbm; flwr) go into a virtual environment of their own.
Absolute times move with the machine; the ratios are what to read. Every figure is the best of
several runs. `--also` names further consortia whose federated trees are held against pooled ones.
"""

import argparse
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.path.join(ROOT, ".build", "release")
VENV = os.path.join(ROOT, ".build", "bench-venv")
PACKAGES = ["numpy", "pandas", "scikit-learn", "xgboost", "lightgbm"]
FLOWER = ["numpy", "flwr"]


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def python(packages=PACKAGES):
    """The interpreter of a virtual environment with the packages, which is made on first use."""
    venv = VENV if packages is PACKAGES else VENV + "-" + packages[-1]
    interpreter = os.path.join(venv, "bin", "python")
    if not os.path.exists(os.path.join(venv, ".complete")):
        say("installing " + ", ".join(packages) + " into " + venv)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([interpreter, "-m", "pip", "install", "-q", *packages], check=True)
        open(os.path.join(venv, ".complete"), "w").close()
    return interpreter


def output(command, seconds_max=None, **environment):
    """What a command prints; `None` when it takes longer than it may."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, timeout=seconds_max,
            env={**os.environ, **environment})
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def fed(*arguments):
    return json.loads(output([os.path.join(BIN, "fed"), *arguments]))


class Data:
    def __init__(self, options, scratch, is_needed=True):
        self.raw = options.raw and os.path.abspath(options.raw)
        if not is_needed:
            return
        self.standard = options.standard or os.path.join(ROOT, "Datasets/standards/synthetic.json")
        self.folder = options.data
        self.also = options.also
        if not self.folder:
            self.folder = os.path.join(scratch, "synthetic")
            say("making a synthetic consortium")
            output([os.path.join(BIN, "fed"), "synthetic", "--out", self.folder])
        elif not options.standard:
            self.standard = os.path.join(scratch, "standard.json")
            output([os.path.join(BIN, "fed"), "standard", "draft", "--out", self.standard,
                    *self.files("fit")])

    def files(self, part):
        return sorted(glob.glob(os.path.join(self.folder, f"bank_*_{part}.csv")))


def federated_seconds(folder, standard, algorithm, scratch, settings=(), repeats=2):
    """The run itself, as the coordinator counts it: processes, TLS, masks and ledgers included."""
    best, report = None, None
    for index in range(repeats):
        path = os.path.join(scratch, f"{algorithm}.json")
        output([os.path.join(BIN, "fed"), "demo", "--data", folder, "--standard",
                standard, "--algorithm", algorithm, "--out",
                os.path.join(scratch, f"demo-{algorithm}"), "--json", path, *settings])
        report = json.load(open(path))
        seconds = report["seconds"]["train"]
        best = seconds if best is None else min(best, seconds)
    return best, report


def logistic(data, scratch):
    say("logistic regression: ours pooled, ours federated, scikit-learn pooled")
    model = os.path.join(scratch, "logistic.json")
    ours = {threads: fed("train", "--standard", data.standard, "--threads", str(threads),
                         "--repeats", "5", "--json", "--out", model, *data.files("fit"))
            for threads in (1, 2)}
    theirs = json.loads(output(
        [python(), "Benchmarks/logistic/compare.py", os.path.join(data.folder, "bank_*_fit.csv"),
         "--model", model], OPENBLAS_NUM_THREADS="2"))
    federated, report = federated_seconds(
        data.folder, data.standard, "logistic", scratch)
    prepare = theirs["seconds"]["transformAndStandardise"]
    optimum = theirs["lbfgsToTheOptimum"]["seconds"]
    return {
        "rows": ours[2]["rows"], "blas": ours[2]["blas"],
        "ours_pooled_seconds": ours[2]["seconds_train"],
        "ours_pooled_seconds_one_thread": ours[1]["seconds_train"],
        "ours_federated_seconds": federated, "slots": report["slots"],
        "scikit_learn_prepare_seconds": prepare,
        "scikit_learn_lbfgs_seconds": theirs["lbfgs"]["seconds"],
        "scikit_learn_lbfgs_to_the_optimum_seconds": optimum,
        "difference_from_the_optimum": theirs.get("model"),
        "ratio_scikit_learn_to_ours": optimum / ours[2]["seconds_train"],
        "ratio_scikit_learn_with_preparation_to_ours":
            (optimum + prepare) / ours[2]["seconds_train"],
        "ratio_federated_to_pooled": federated / ours[2]["seconds_train"],
    }


def masks(_, scratch):
    say("masks: ours against openssl's AES-256-CTR keystream")
    ours = fed("measure", "masks")
    text = output(["openssl", "speed", "-elapsed", "-seconds", "2", "-bytes", "65536", "-evp",
                   "aes-256-ctr"])
    speed = float(re.search(r"([0-9.]+)k\s*$", text.strip()).group(1)) * 1e3 / 1e9
    return {
        "implementation": ours["implementation"],
        "ours_gigabytes_per_second_in_cache": ours["gigabytes_per_second_in_cache"],
        "ours_gigabytes_per_second_in_memory": ours["gigabytes_per_second_in_memory"],
        "openssl_gigabytes_per_second": speed,
        "ratio_in_cache_to_openssl": ours["gigabytes_per_second_in_cache"] / speed,
        "ratio_in_memory_to_openssl": ours["gigabytes_per_second_in_memory"] / speed,
    }


def secure_aggregation(_, scratch):
    say("secure aggregation: ours against Flower's SecAgg+ functions")
    sys.path.insert(0, os.path.join(ROOT, "Benchmarks", "secure-aggregation"))
    import table

    def ours(banks, lanes, gates):
        return fed("measure", "aggregation", "--banks", str(banks), "--lanes", str(lanes),
                   "--ring-bits", str(table.RING_BITS), "--gates", str(gates))

    def theirs(banks, lanes, slots_only):
        text = output(
            [python(FLOWER), "Benchmarks/secure-aggregation/compare.py", "--banks", str(banks),
             "--lanes", str(lanes), *["--slots-only"] * slots_only], seconds_max=CELL_SECONDS_MAX,
            FLWR_TELEMETRY_ENABLED="0", OPENBLAS_NUM_THREADS="1")
        return json.loads(text) if text else {"skipped": f"more than {CELL_SECONDS_MAX} s"}

    results = table.measure(ours, theirs, say)
    print(table.text(results), file=sys.stderr)
    results["distance"] = distance(scratch)
    return results


# A part of the comparison that takes longer is given up, and the table says so.
CELL_SECONDS_MAX = 90


def distance(scratch):
    say("100 trees over emulated 20 ms round trips and 100 Mbit/s for each bank")
    return json.loads(output(
        [sys.executable, "Benchmarks/secure-aggregation/distance.py", "--bin", BIN, "--out",
         os.path.join(scratch, "distance")]))


def csv(data, scratch):
    say("CSV reading: ours against pandas")
    path = max(data.files("fit"), key=os.path.getsize)
    ours = fed("measure", "csv", "--standard", data.standard, path)
    program = (
        "import sys, time, pandas\nbest = 1e9\nfor _ in range(5):\n"
        "    start = time.perf_counter(); pandas.read_csv(sys.argv[1])\n"
        "    best = min(best, time.perf_counter() - start)\nprint(best)")
    pandas = float(output([python(), "-c", program, path]))
    size = ours["bytes"] / 1e6
    return {
        "megabytes": size, "rows": ours["rows"],
        "ours_load_megabytes_per_second": size / ours["seconds_load"],
        "ours_check_megabytes_per_second": size / ours["seconds_check"],
        "pandas_megabytes_per_second": size / pandas,
        "ratio_load_to_pandas": pandas / ours["seconds_load"],
    }


TREE_SETTINGS = [
    "treesMax=100", "leafRegularisation=1", "contributorsMin=1", "childRowsMin=1", "rowSample=0.8",
    "columnSample=0.8"]


def trees(data, scratch):
    results = {}
    made = os.path.join(scratch, "made.csv")
    for name in ("banks", "made"):
        settings = [part for setting in TREE_SETTINGS for part in ("--set", setting)]
        if name == "banks":
            say("trees on the banks' rows: ours, XGBoost, LightGBM")
            source, files, standard = ["--fit", *data.files("fit")], data.files("fit"), data.standard
        else:
            say("trees on a made table of 1,000,000 x 32: ours, XGBoost, LightGBM")
            source, files = ["--made", "1000000", "32", "--write-made", made], [made]
            standard = os.path.join(scratch, "made-standard.json")
        lines = output([python(), "Benchmarks/trees/compare.py", *source, "--threads", "2",
                        "--repeats", "3" if name == "banks" else "1"],
                       OMP_WAIT_POLICY="passive").splitlines()
        theirs = {}
        for line in map(json.loads, lines):
            if "wall" in line:
                best = theirs.get(line["library"], 1e9)
                theirs[line["library"]] = min(best, line["wall"])
        if name == "made":
            output([os.path.join(BIN, "fed"), "standard", "draft", "--out", standard, made])
        ours = fed("train", "--standard", standard, "--algorithm", "gbdt", "--threads", "2",
                   "--repeats", "3", "--json", *settings, *files)
        usual = min(theirs[library] for library in ("xgboost", "lightgbm"))
        entry = {
            "rows": ours["rows"], "ours_seconds": ours["seconds_train"],
            **{f"{library.replace('-', '_')}_seconds": s for library, s in theirs.items()},
            "ratio_fastest_usual_mode_to_ours": usual / ours["seconds_train"],
        }
        if "lightgbm-quantised" in theirs:
            entry["ratio_lightgbm_quantised_to_ours"] = (
                theirs["lightgbm-quantised"] / ours["seconds_train"])
        if name == "banks":
            entry.update(federated_trees(data.folder, standard, files, scratch))
            entry["scoring"] = scoring(data, scratch, files, standard)
        else:
            sys.path.insert(0, os.path.join(ROOT, "Benchmarks", "trees"))
            import growth as growing

            folder = os.path.join(scratch, "made-banks")
            os.mkdir(folder)
            growing.deal(*growing.table([made]), 5, folder)
            parts = sorted(glob.glob(os.path.join(folder, "bank_*_fit.csv")))
            entry.update(federated_trees(folder, standard, parts, scratch, repeats=1))
        results[name] = entry
    for folder, standard in data.also or []:
        files = sorted(glob.glob(os.path.join(folder, "bank_*_fit.csv")))
        results[os.path.basename(standard).removesuffix(".json")] = federated_trees(
            folder, standard, files, scratch)
    results["growth"] = growth(data.files("fit"), data.standard)
    return results


def federated_trees(folder, standard, files, scratch, repeats=2):
    """100 trees with the defaults, floors included: as many processes as banks, against one."""
    say(f"federated trees on {len(files)} banks: {standard}")
    federated, report = federated_seconds(
        folder, standard, "gbdt", scratch, ["--set", "treesMax=100"], repeats)
    pooled = fed("train", "--standard", standard, "--algorithm", "gbdt", "--threads", "2",
                 "--repeats", "3", "--json", "--set", "treesMax=100", *files)
    return {
        "federated_rows": pooled["rows"], "federated_seconds": federated,
        "pooled_seconds": pooled["seconds_train"], "slots": report["slots"],
        "bytes_per_bank_and_tree": max(report["bytes_sent"].values()) / 100,
        "ratio_federated_to_pooled": federated / pooled["seconds_train"],
    }


def growth(files, standard):
    say("federated trees as rows and banks grow: 10 trees, real processes")
    done = subprocess.run(
        [sys.executable, "Benchmarks/trees/growth.py", "--bin", BIN, "--standard", standard,
         "--fit", *files], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    if done.returncode != 0:
        sys.exit("error: the growth of trees could not be measured")
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    text = f"{'banks':>6} {'rows':>10} {'sums':>5} {'federated s':>11} {'pooled s':>9} {'ratio':>6}"
    print(f"{text} {'kB a bank':>10} {'peak MB':>8}", file=sys.stderr)
    for step in steps:
        print(
            f"{step['banks']:>6} {step['rows']:>10,} {step['slots']:>5} {step['seconds']:>11.2f} "
            f"{step['pooled_seconds']:>9.2f} {step['ratio_to_pooled']:>6.1f} "
            f"{step['bytes_sent_a_bank'] / 1e3:>10.0f} "
            f"{step['coordinator_peak_bytes'] / 1e6:>8.0f}", file=sys.stderr)
    return steps


def scoring(data, scratch, files, standard):
    say("scoring, one core: ours, LightGBM (200 trees of depth 6)")
    model = os.path.join(scratch, "scoring.json")
    fed("train", "--standard", standard, "--algorithm", "gbdt", "--json", "--set", "treesMax=200",
        "--set", "depthMax=6", "--out", model, *files)
    test = max(data.files("test"), key=os.path.getsize)
    ours = fed("measure", "scoring", "--standard", standard, "--model", model, test)
    theirs = json.loads(output(
        [python(), "Benchmarks/trees/scoring.py", "--fit", *files, "--test", test],
        OMP_WAIT_POLICY="passive"))
    return {
        "ours_microseconds_single_row": ours["microseconds_single_row"],
        "ours_microseconds_batch_row": ours["microseconds_batch_row"],
        "lightgbm_microseconds_single_row": theirs["microseconds_single_row"],
        "lightgbm_microseconds_batch_row": theirs["microseconds_batch_row"],
        "ratio_single_row_lightgbm_to_ours":
            theirs["microseconds_single_row"] / ours["microseconds_single_row"],
        "ratio_batch_lightgbm_to_ours":
            theirs["microseconds_batch_row"] / ours["microseconds_batch_row"],
    }


RATES = (1000, 2500, 5000, 8000, 0)


def service(data, scratch):
    """The scoring service under load: the figures at 5,000 requests a second, and at others."""
    say("the scoring service under load, models swapped meanwhile (200 trees of depth 6)")
    joint = os.path.join(scratch, "joint.json")
    fed("train", "--standard", data.standard, "--algorithm", "gbdt", "--json", "--set",
        "treesMax=200", "--set", "depthMax=6", "--out", joint, *data.files("fit"))
    largest = max(data.files("test"), key=os.path.getsize)
    models = []
    for version in ("1", "2"):
        models.append(os.path.join(scratch, f"bank-model-{version}.json"))
        output([os.path.join(BIN, "fed-node"), "combine", "--standard", data.standard,
                "--model", joint, "--fit", largest.replace("_test", "_fit"),
                "--valid", largest.replace("_test", "_valid"), "--set", "treesMax=200",
                "--set", "depthMax=6", "--version", version, "--out", models[-1]])
    lines = output(
        [sys.executable, "Benchmarks/scoring/measure.py", "--rows", largest, "--models", *models,
         "--rates", *map(str, RATES), "--",
         os.path.join(BIN, "fed-node"), "score", "--standard", data.standard, "--model",
         "{model}", "--policy", "Datasets/policies/cards.json", "--http", "127.0.0.1:{port}",
         "--state", "{folder}/state", "--log-level", "warning"]).splitlines()
    by_rate = [json.loads(line) for line in lines]
    aim = next(entry for entry in by_rate if entry["asked_rate"] == 5000)
    return {**aim, "failed_requests": sum(entry["failed_requests"] for entry in by_rate),
            "by_rate": by_rate}


def features(data, scratch):
    """--raw: transactions with the columns of Datasets/derivations/handbook.json, else made ones."""
    raw, script = data.raw, "Benchmarks/features/compare.py"
    if not raw:
        raw = os.path.join(scratch, "transactions.csv")
        output([python(), script, raw, "--make", "1000000"])
    say("features from raw transactions: ours, pandas")
    mine = os.path.join(scratch, "features.csv")
    ours = fed("measure", "features", "--standard", "Datasets/standards/handbook.json",
               "--derivation", "Datasets/derivations/handbook.json", "--out", mine, raw)
    theirs = json.loads(output(
        [python(), script, raw, "--out", os.path.join(scratch, "pandas.csv"), "--against", mine]))
    return {
        "rows": ours["rows"], "ours_seconds": ours["seconds"],
        "ours_rows_per_second": ours["rows"] / ours["seconds"],
        "ours_microseconds_online": ours["microseconds_online"],
        "pandas_seconds": theirs["seconds"],
        "largest_relative_difference": theirs["largest_relative_difference"],
        "ratio_pandas_to_ours": theirs["seconds"] / ours["seconds"],
    }


def indicators(_, scratch):
    """Shared indicators summed by processes, against the least that such sums can take.

    Bytes: the lanes alone. Time: every bank masks what it sends once a peer and the coordinator
    adds it up, on this machine's processors at the speeds measured in the same run; no network.
    """
    say("shared indicators: five banks' processes against the bound of their sums")
    report, banks = os.path.join(scratch, "indicators.json"), 5
    output([os.path.join(BIN, "fed"), "demo", "--indicators", "--algorithm", "gbdt", "--set",
            "treesMax=1", "--out", os.path.join(scratch, "indicators"), "--json", report])
    with open(report) as file:
        counting = json.load(file)["counting"]
    speed = fed("measure", "masks")["gigabytes_per_second_in_memory"] * 1e9
    lanes = counting["lane_bytes_max"]
    least = banks * banks * lanes / (os.cpu_count() * speed)
    return {
        "sums": counting["sums"], "seconds": counting["seconds"],
        "bytes_per_bank": counting["bytes_max"], "lane_bytes_per_bank": lanes,
        "bound_seconds": least,
        "ratio_bytes_to_bound": counting["bytes_max"] / lanes,
        "ratio_seconds_to_bound": counting["seconds"] / least,
    }


BENCHMARKS = {"logistic": logistic, "masks": masks, "csv": csv, "trees": trees,
              "features": features, "indicators": indicators,
              "secure-aggregation": secure_aggregation, "scoring": service}
WITHOUT_DATA = {"masks", "features", "indicators", "secure-aggregation"}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[*BENCHMARKS, "all"])
    parser.add_argument("--data")
    parser.add_argument("--standard")
    parser.add_argument("--also", nargs=2, action="append", metavar=("DIR", "FILE"))
    parser.add_argument("--raw")
    parser.add_argument("--json")
    options = parser.parse_args()
    names = list(BENCHMARKS) if options.name == "all" else [options.name]
    with tempfile.TemporaryDirectory() as scratch:
        needs_data = any(name not in WITHOUT_DATA for name in names)
        data = Data(options, scratch, needs_data)
        results = {"processors": os.cpu_count(), "unix_time": int(time.time())}
        for name in names:
            found = BENCHMARKS[name](data, scratch)
            if options.name == "scoring":
                results.update(found)
            else:
                results[name.replace("-", "_")] = found
    text = json.dumps(results, indent=2)
    print(text)
    if options.json:
        with open(options.json, "w") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()
