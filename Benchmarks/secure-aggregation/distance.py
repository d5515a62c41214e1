#!/usr/bin/env python3
"""Times a run of trees whose banks are far from the coordinator, against the least that it can take.

    python3 distance.py --bin .build/release --out DIR [--trees 100] [--rtt 0.02] [--mbits 100]

Starts a coordinator and five banks of the synthetic consortium as real processes. Each bank's
connection goes through a relay of its own, which holds every byte back for half of the round trip and
lets no more than the rate through in each direction; TLS passes through it unopened. The same run is
made once without delay and rate. The lower bound is what is left when all computing is free: a round
trip for every answer that has to be waited for, and the largest bank's bytes at the full rate
(secure aggregation design, section 7.3). Prints one JSON object.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import threading
import time

BANKS = "ABCDE"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STANDARD = os.path.join(ROOT, "Datasets", "standards", "synthetic.json")


class Relay:
    """One bank's line: what comes in at a port of its own goes on to the coordinator, late."""

    def __init__(self, target, delay, bytes_per_second):
        self.target, self.delay, self.rate = target, delay, bytes_per_second
        self.port = None

    async def start(self):
        server = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        try:
            onward_reader, onward_writer = await asyncio.open_connection(
                "127.0.0.1", self.target)
        except ConnectionError:  # the coordinator has ended
            return writer.close()
        await asyncio.gather(
            self.direction(reader, onward_writer), self.direction(onward_reader, writer))

    async def direction(self, reader, writer):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = asyncio.Queue(maxsize=1024)

        async def deliver():
            while True:
                due, data = await line.get()
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if data is None:
                    writer.close()
                    return
                writer.write(data)
                await writer.drain()

        delivery = asyncio.create_task(deliver())
        free = 0.0
        try:
            while data := await reader.read(16384):
                free = max(free, time.monotonic()) + len(data) / self.rate
                await line.put((free + self.delay, data))
        except ConnectionError:
            pass
        await line.put((time.monotonic() + self.delay, None))
        try:
            await delivery
        except ConnectionError:
            pass


def relays(target, delay, rate):
    """Starts a relay for every bank in a thread of their own; gives their ports."""
    lines = {bank: Relay(target, delay, rate) for bank in BANKS}
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    for line in lines.values():
        asyncio.run_coroutine_threadsafe(line.start(), loop).result()
    return {bank: line.port for bank, line in lines.items()}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Consortium:
    """A coordinator and five banks in a folder."""

    def __init__(self, binaries, folder, delay, rate):
        self.binaries, self.folder = binaries, folder
        self.children = []
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        port = free_port()
        self.run("fed", "synthetic", "--out", self.path("data"))
        self.run("fed-coordinator", "init", "--state", self.path("coordinator"), "--listen",
                 f"127.0.0.1:{port}", "--enrolment", f"127.0.0.1:{free_port()}")
        self.serve("fed-coordinator", "serve", "--state", self.path("coordinator"),
                   "--log-level", "warning")
        self.wait(lambda: self.members() is not None)
        ports = relays(port, delay, rate) if delay else {bank: port for bank in BANKS}
        for bank in BANKS:
            state = self.path(f"node-{bank}")
            self.run("fed-coordinator", "invite", "--state", self.path("coordinator"), "--bank",
                     bank, "--out", self.path(f"{bank}.json"))
            self.run("fed-node", "enrol", "--state", state, "--invitation",
                     self.path(f"{bank}.json"))
            facts = os.path.join(state, "node.json")
            with open(facts) as file:
                document = json.load(file)
            document["coordinator"] = f"127.0.0.1:{ports[bank]}"
            with open(facts, "w") as file:
                json.dump(document, file)
            self.serve("fed-node", "serve", "--state", state, "--standard", STANDARD, "--fit",
                       self.path(f"data/bank_{bank}_fit.csv"), "--valid",
                       self.path(f"data/bank_{bank}_valid.csv"), "--log-level", "warning")
        self.wait(lambda: sum(m["connected"] for m in self.members() or []) == len(BANKS))

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, program, *arguments):
        done = subprocess.run([os.path.join(self.binaries, program), *arguments],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"error: {program} {' '.join(arguments)} failed:\n{done.stderr}")
        return done.stdout

    def serve(self, program, *arguments):
        log = open(self.path(f"{program}-{len(self.children)}.log"), "w")
        self.children.append(subprocess.Popen(
            [os.path.join(self.binaries, program), *arguments], stdout=log, stderr=log))

    def members(self):
        done = subprocess.run(
            [os.path.join(self.binaries, "fed-coordinator"), "members", "--state",
             self.path("coordinator"), "--json"], capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def wait(self, condition):
        for _ in range(300):
            if condition():
                return
            time.sleep(0.1)
        raise SystemExit(f"error: the consortium does not come up; logs: {self.folder}")

    def train(self, trees):
        return json.loads(self.run(
            "fed-coordinator", "run", "start", "--state", self.path("coordinator"), "--standard",
            STANDARD, "--algorithm", "gbdt", "--set", f"treesMax={trees}", "--watch", "--json"))

    def end(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait()


def timed(options, delay, rate):
    consortium = Consortium(options.bin, options.out, delay, rate)
    try:
        return consortium.train(options.trees)
    finally:
        consortium.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--rtt", type=float, default=0.02, help="seconds")
    parser.add_argument("--mbits", type=float, default=100)
    options = parser.parse_args()
    options.bin, options.out = os.path.abspath(options.bin), os.path.abspath(options.out)

    rate = options.mbits * 1e6 / 8
    near = timed(options, 0, rate)
    far = timed(options, options.rtt / 2, rate)
    # Consent, dealing and acknowledgement; every slot, and the release of each group's first; the
    # model's way to the banks.
    groups = 1 + options.trees
    round_trips = 3 + far["slots"] + groups + 1
    sent = max(bank["bytes_received"] for bank in far["banks"])
    received = max(bank["bytes_sent"] for bank in far["banks"])
    bound = round_trips * options.rtt + max(sent, received) / rate
    print(json.dumps({
        "trees": options.trees, "rtt_seconds": options.rtt, "megabits_per_second": options.mbits,
        "slots": far["slots"], "round_trips": round_trips,
        "bytes_from_a_bank": sent, "bytes_to_a_bank": received,
        "seconds": far["seconds"], "seconds_without_distance": near["seconds"],
        "lower_bound_seconds": bound, "ratio_to_the_lower_bound": far["seconds"] / bound,
    }))


if __name__ == "__main__":
    main()
