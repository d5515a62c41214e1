#!/usr/bin/env python3
"""Scores rows of a CSV file of features and has them recorded for the next high-risk list.

    score_rows.py FILE [--url http://127.0.0.1:8600] [--rows 2000] [--customers 500]

FILE is one that `fed check` takes, such as bank_D_test.csv of `fed synthetic`; a real bank sends its
own customer and amount. Each row becomes a transaction under the row's number, so that verdicts find
back to it. With a service that asks for a token, put it into FED_TOKEN.
"""

import argparse
import csv
import json
import os
import urllib.request


def transactions(path, rows, customers):
    with open(path, newline="") as source:
        for place, line in enumerate(csv.DictReader(source)):
            if place == rows:
                return
            number = line.pop("row")
            line.pop("fraud", None)
            features = {name: float(text) if text else None for name, text in line.items()}
            yield {
                "id": number, "entity": f"customer {int(number) % customers}",
                "amount": round(100 * (features.get("amount") or 0)), "features": features,
            }


def send(url, batch):
    headers = {"Content-Type": "application/json"}
    if "FED_TOKEN" in os.environ:
        headers["Authorization"] = "Bearer " + os.environ["FED_TOKEN"]
    request = urllib.request.Request(
        url + "/v1/score?record=true&explain=none", json.dumps(batch).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--url", default="http://127.0.0.1:8600")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--customers", type=int, default=500)
    options = parser.parse_args()
    batch = list(transactions(options.file, options.rows, options.customers))
    for start in range(0, len(batch), 1000):
        send(options.url, batch[start:start + 1000])
    print(f"{len(batch)} transactions are scored and recorded")


if __name__ == "__main__":
    main()
