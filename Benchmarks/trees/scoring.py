#!/usr/bin/env python3
"""Scores rows with LightGBM, one core: its fast C call row by row, and a batch.

    scoring.py --fit A_fit.csv B_fit.csv --test A_test.csv [--trees 200] [--depth 6]

Prints one JSON line: microseconds a row. The row-by-row time has the cost of the call from Python
taken off, as measured with an empty C function.
"""

import argparse
import ctypes
import json
import time

import lightgbm
import numpy
import pandas

ROWS = 5_000


def read(paths):
    frame = pandas.concat([pandas.read_csv(path) for path in paths])
    names = [name for name in frame.columns if name not in ("row", "fraud")]
    return frame[names].to_numpy(numpy.float64), frame["fraud"].to_numpy()


def best(body, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        body()
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", nargs="+", required=True)
    parser.add_argument("--test", nargs="+", required=True)
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--depth", type=int, default=6)
    options = parser.parse_args()

    values, labels = read(options.fit)
    booster = lightgbm.train(
        dict(objective="binary", num_leaves=2 ** options.depth, max_depth=options.depth,
             max_bin=255, verbose=-1, num_threads=2),
        lightgbm.Dataset(values, labels), options.trees)
    tests, _ = read(options.test)

    library = lightgbm.basic._LIB
    prepared, count, score = ctypes.c_void_p(), ctypes.c_int64(), ctypes.c_double()
    status = library.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster._handle, 0, 0, -1, 1, ctypes.c_int32(tests.shape[1]), b"num_threads=1",
        ctypes.byref(prepared))
    if status != 0:
        raise SystemExit("LightGBM refuses its fast call")
    table = numpy.ascontiguousarray(tests[:ROWS])
    rows = [ctypes.c_void_p(table.ctypes.data + i * table.strides[0]) for i in range(len(table))]
    length, result = ctypes.byref(count), ctypes.byref(score)
    call, empty = library.LGBM_BoosterPredictForMatSingleRowFast, ctypes.CDLL(None).labs

    def single():
        for row in rows:
            call(prepared, row, length, result)

    def nothing():
        for row in rows:
            empty(row, length, result)

    alone = max(best(single) - best(nothing), 0) / len(rows)
    batch = best(lambda: booster.predict(tests, num_threads=1)) / len(tests)
    print(json.dumps(dict(
        rows=len(tests), microseconds_single_row=alone * 1e6, microseconds_batch_row=batch * 1e6)))


if __name__ == "__main__":
    main()
