#!/usr/bin/env python3
"""Fits XGBoost and LightGBM on the same rows as the tree trainer and prints one JSON line a fit.

Rows are CSV files with a header (a `row` column is ignored, `fraud` is the label), one file a bank,
or a made table:

    compare.py --fit A_fit.csv B_fit.csv --test A_test.csv B_test.csv
    compare.py --made 1000000 32

Average precision is the mean over the test files, weighted by their rows. `wall` includes the
library's own binning, as `fit` does for its users; `cpu` is the process time of all threads.
Needs: numpy, pandas, scikit-learn, xgboost, lightgbm.
"""

import argparse
import json
import time

import numpy as np

LIBRARIES = ("xgboost", "lightgbm", "lightgbm-quantised")


def read(paths):
    if not paths:
        return []
    import pandas

    frames = [pandas.read_csv(path) for path in paths]
    names = [name for name in frames[0].columns if name not in ("row", "fraud")]
    return [(f[names].to_numpy(np.float64), f["fraud"].to_numpy(np.int8)) for f in frames]


def made(rows, features, seed):
    """A table with interactions and about 2 % positives; the same numbers for the same seed."""
    random = np.random.Generator(np.random.PCG64(seed))
    values = random.normal(size=(rows, features))
    margin = -5.0 + values[:, 0] - values[:, 1] + values[:, 2] * values[:, 3]
    margin += 0.8 * values[:, 4] * (values[:, 5] > 0)
    labels = random.uniform(size=rows) < 1 / (1 + np.exp(-margin))
    return values, labels.astype(np.int8)


def model(library, options):
    common = dict(
        n_estimators=options.trees, learning_rate=options.learning_rate, reg_lambda=1.0,
        subsample=options.row_sample, colsample_bytree=options.column_sample,
        random_state=options.seed, n_jobs=options.threads)
    if library == "xgboost":
        import xgboost

        return xgboost.XGBClassifier(
            tree_method="hist", max_depth=options.depth, max_bin=256, min_child_weight=1.0,
            **common)
    import lightgbm

    # With a row sample the quantised mode of LightGBM 4.7 ends in a failed check on rare frauds.
    quantised = library == "lightgbm-quantised"
    extra = dict(use_quantized_grad=True, subsample=1.0) if quantised else {}
    leaves = 2 ** options.depth if options.full_depth else 31
    return lightgbm.LGBMClassifier(
        num_leaves=leaves, max_depth=options.depth if options.full_depth else -1, max_bin=255,
        min_child_samples=20, min_sum_hessian_in_leaf=1.0, subsample_freq=1, verbose=-1,
        **{**common, **extra})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", nargs="+", default=[], help="CSV files to learn from")
    parser.add_argument("--test", nargs="+", default=[], help="CSV files to score, one a bank")
    parser.add_argument("--made", nargs=2, type=int, metavar=("ROWS", "FEATURES"))
    parser.add_argument("--write-made", metavar="CSV", help="also write the made table here")
    parser.add_argument("--libraries", nargs="+", default=LIBRARIES, choices=LIBRARIES)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--depth", type=int, default=5)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--row-sample", type=float, default=0.8)
    parser.add_argument("--column-sample", type=float, default=0.8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument(
        "--full-depth", action="store_true",
        help="let LightGBM grow 2^depth leaves to the same depth, not its usual 31 leaves")
    options = parser.parse_args()

    if options.made:
        values, labels = made(*options.made, options.seed)
        tests = []
        if options.write_made:
            header = ",".join([f"x{j}" for j in range(values.shape[1])] + ["fraud"])
            table = np.column_stack([values, labels])
            np.savetxt(options.write_made, table, fmt="%.7g", delimiter=",", header=header,
                       comments="")
    else:
        parts = read(options.fit)
        values = np.concatenate([part[0] for part in parts])
        labels = np.concatenate([part[1] for part in parts])
        tests = read(options.test)

    from sklearn.metrics import average_precision_score

    for _ in range(options.repeats):
        for library in options.libraries:
            classifier = model(library, options)
            wall, cpu = time.perf_counter(), time.process_time()
            try:
                classifier.fit(values, labels)
            except Exception as error:  # LightGBM's quantised mode fails on some tables
                print(json.dumps(dict(library=library, error=str(error))), flush=True)
                continue
            result = dict(
                library=library, rows=values.shape[0], features=values.shape[1],
                trees=options.trees, depth=options.depth, threads=options.threads,
                wall=time.perf_counter() - wall, cpu=time.process_time() - cpu)
            if tests:
                wall = time.perf_counter()
                scores = [classifier.predict_proba(part[0])[:, 1] for part in tests]
                result["score_wall"] = time.perf_counter() - wall
                sizes = [len(part[1]) for part in tests]
                each = [average_precision_score(p[1], s) for p, s in zip(tests, scores)]
                result["average_precision"] = float(np.average(each, weights=sizes))
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
