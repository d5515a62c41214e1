#!/usr/bin/env python3
"""Derives the features of the handbook standard with pandas and prints one JSON line.

    compare.py RAW.csv --out FEATURES.csv [--against OURS.csv] [--repeats 1] [--make ROWS]

RAW has the columns row, t, customer, terminal, amount, fraud and is in the order of time. The
windows are those of Datasets/derivations/handbook.json: rows of one time see each other, labels are
known after 7 days. pandas' own rolling windows are used as far as they reach: a window that ends
before the row is the difference of two. `seconds` is reading, windows and writing. With --make only RAW
is written: made transactions of half a year, the same for the same number of rows.
Needs: numpy, pandas.
"""

import argparse
import json
import time

import numpy as np
import pandas

DAY = 86_400
DELAY = 7 * DAY


def make(path, rows):
    """Transactions of as many customers and terminals as give each a few a week."""
    random = np.random.default_rng(7)
    frame = pandas.DataFrame({
        "row": np.arange(rows), "t": np.sort(random.integers(0, 183 * DAY, rows)),
        "customer": random.integers(0, max(1, rows // 350), rows),
        "terminal": random.integers(0, 10_000, rows),
        "amount": random.gamma(2, 25, rows).round(2), "part": 0,
        "fraud": (random.random(rows) < 0.008).astype(int)})
    frame.to_csv(path, index=False)


def rolling(frame, key, column, seconds):
    """Sum of a column over (t - seconds, t] within the row's group, in the order of the frame.

    pandas' rolling sees a row's tie only if it came before; the last row of a group's time has all.
    """
    indexed = frame.set_index("time")
    sums = indexed.groupby(key, sort=False)[column].rolling(f"{seconds}s", closed="right").sum()
    sums = sums.reset_index()
    sums.columns = [key, "time", "sum"]
    return sums.drop_duplicates([key, "time"], keep="last")


def windows(frame, key, columns, ends):
    """Exact windows (far, near] by sorted times of each group and running sums.

    Where pandas' rolling cannot look back past a near end, merge_asof finds the running totals.
    """
    totals = frame[[key, "t", *columns]].sort_values([key, "t"], kind="stable")
    running = totals.groupby(key, sort=False)[columns].cumsum()
    running.insert(0, "n", totals.groupby(key, sort=False).cumcount() + 1)
    running[key], running["t"] = totals[key], totals["t"]
    running = running.drop_duplicates([key, "t"], keep="last").sort_values("t", kind="stable")
    found = {}
    for end in sorted(set(ends)):
        asked = frame[[key, "t"]].assign(t=frame["t"] - end, at=np.arange(len(frame)))
        asked = asked.sort_values("t", kind="stable")
        hit = pandas.merge_asof(asked, running, on="t", by=key).sort_values("at")
        found[end] = hit[["n", *columns]].fillna(0).to_numpy()
    return found


def features(frame):
    t, amount = frame["t"], frame["amount"]
    out = pandas.DataFrame({"row": frame["row"], "amount": amount})
    day = t // DAY
    out["hour"] = t % DAY // 3600
    out["weekend"] = ((day + 6) % 7 >= 5).astype(int)
    out["night"] = (out["hour"] <= 6).astype(int)
    frame = frame.assign(time=pandas.to_datetime(t, unit="s"), one=1.0)
    customers = frame[["customer", "time"]]
    for days in (1, 7, 30):
        count = customers.merge(
            rolling(frame, "customer", "one", days * DAY), on=["customer", "time"], how="left")
        total = customers.merge(
            rolling(frame, "customer", "amount", days * DAY), on=["customer", "time"], how="left")
        out[f"c_n{days}"] = count["sum"].to_numpy()
        out[f"c_avg{days}"] = (total["sum"] / count["sum"]).to_numpy()
    out["amt_over_c_avg30"] = np.where(
        out["c_avg30"] > 0, amount / out["c_avg30"].where(out["c_avg30"] > 0, 1), 0)
    ends = windows(
        frame, "terminal", ["fraud"], [DELAY, *(DELAY + days * DAY for days in (1, 7, 30))])
    for days in (1, 7, 30):
        part = ends[DELAY] - ends[DELAY + days * DAY]
        out[f"t_n{days}"] = part[:, 0]
        out[f"t_risk{days}"] = np.divide(
            part[:, 1], part[:, 0], out=np.zeros(len(part)), where=part[:, 0] > 0)
    out["fraud"] = frame["fraud"]
    return out


def difference(ours, theirs):
    """The largest relative difference of any value."""
    left = pandas.read_csv(ours).sort_values("row")[theirs.columns].to_numpy(float)
    right = theirs.sort_values("row").to_numpy(float)
    scale = np.maximum(np.maximum(abs(left), abs(right)), 1e-9)
    return float((abs(left - right) / scale).max())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw")
    parser.add_argument("--out", default="/dev/null", help="where the features go")
    parser.add_argument("--against", help="our features of the same rows, to compare")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--make", type=int, metavar="ROWS", help="write RAW, and no more")
    options = parser.parse_args()
    if options.make:
        return make(options.raw, options.make)
    best, table = None, None
    for _ in range(options.repeats):
        start, cpu = time.perf_counter(), time.process_time()
        frame = pandas.read_csv(options.raw)
        table = features(frame)
        table.to_csv(options.out, index=False, float_format="%.7g")
        wall, used = time.perf_counter() - start, time.process_time() - cpu
        best = (wall, used) if best is None else min(best, (wall, used))
    result = {"library": "pandas", "version": pandas.__version__, "rows": len(table),
              "seconds": best[0], "cpu_seconds": best[1]}
    if options.against:
        result["largest_relative_difference"] = difference(options.against, table)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
