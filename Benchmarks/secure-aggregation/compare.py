#!/usr/bin/env python3
"""Times Flower's SecAgg+ functions for one bank among n, and its coordinator's sum of one vector.

    python3 compare.py --banks 20 --lanes 1000000 [--repeats 3] [--seconds-max 15] [--slots-only]

Calls the functions that Flower's client and server call, in their order, on the full graph (every
bank shares with and masks against every other, as ours do): key agreement, shares and their
encryption; private and pairwise masks added, reduced modulo 2^32 and made bytes; the addition at
the server. Network, serialisation of messages and quantisation of floats are left out on both
sides. Prints one JSON object; times are processor time, the best of the repeats. Fewer repeats are
made where all of them would take more than --seconds-max; what would take more than that once, judged
by a single mask or by the shares of a single block, is skipped and says so. --slots-only leaves out
the set-up, which does not depend on the lanes.

Needs flwr (its functions in flwr.common.secure_aggregation).
"""

import argparse
import base64
import json
import os
import resource
import time

import numpy as np
from flwr.common import bytes_to_ndarray, ndarray_to_bytes
from flwr.common.secure_aggregation.crypto.shamir import create_shares
from flwr.common.secure_aggregation.crypto.symmetric_encryption import (
    decrypt,
    encrypt,
    generate_shared_key,
)
from flwr.common.secure_aggregation.ndarrays_arithmetic import (
    parameters_addition,
    parameters_mod,
    parameters_subtraction,
)
from flwr.common.secure_aggregation.secaggplus_utils import (
    pseudo_rand_gen,
    share_keys_plaintext_concat,
    share_keys_plaintext_separate,
)

try:
    from flwr.supercore.primitives import asymmetric
except ImportError:  # older releases
    from flwr.common.secure_aggregation.crypto import symmetric_encryption as asymmetric

import flwr

MODULUS = 1 << 32


def best_time(repeats, action):
    """The shortest of several runs, and the last result."""
    shortest = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        result = action()
        shortest = min(shortest, time.process_time() - start)
    return shortest, result


class Bank:
    """One bank's stages 0 to 2, in the order of Flower's secaggplus_mod."""

    def __init__(self, banks, peers):
        self.banks = banks
        self.peers = peers
        self.threshold = max(2, banks - max(1, (banks + 7) // 8))

    def agree_without_shares(self):
        """Pair keys of the right form, where the set-up itself takes too long."""
        self.seed = os.urandom(32)
        self.pair_keys = [base64.urlsafe_b64encode(os.urandom(32)) for _ in self.peers]

    def sharing_seconds(self):
        """About how long the shares of seed and key take, from those of one block."""
        start = time.process_time()
        create_shares(bytes(8), self.threshold, self.banks)
        one_block = time.process_time() - start
        key = asymmetric.private_key_to_bytes(asymmetric.generate_key_pairs()[0])
        return one_block * (32 // 16 + 1 + len(key) // 16 + 1)

    def set_up(self):
        """Keys, shares, their encryption, and as many decryptions; bytes sent and received."""
        masking_key, masking_public = asymmetric.generate_key_pairs()
        sealing_key, sealing_public = asymmetric.generate_key_pairs()
        seed = os.urandom(32)
        seed_shares = create_shares(seed, self.threshold, self.banks)
        key_shares = create_shares(
            asymmetric.private_key_to_bytes(masking_key), self.threshold, self.banks)
        sealed = 0
        pair_keys = []
        for number, (mask_public, seal_public) in enumerate(self.peers, start=1):
            key = generate_shared_key(
                sealing_key, asymmetric.bytes_to_public_key(seal_public))
            box = encrypt(key, share_keys_plaintext_concat(
                0, number, seed_shares[number], key_shares[number]))
            sealed += len(box)
            share_keys_plaintext_separate(decrypt(key, box))
            pair_keys.append(generate_shared_key(
                masking_key, asymmetric.bytes_to_public_key(mask_public)))
        own = sum(len(asymmetric.public_key_to_bytes(key))
                  for key in (masking_public, sealing_public))
        self.seed, self.pair_keys = seed, pair_keys
        return own + sealed, self.banks * own + sealed

    def mask(self, vector):
        """Private and pairwise masks; the bytes that go to the server."""
        shapes = [vector.shape]
        masked = parameters_addition([vector], pseudo_rand_gen(self.seed, MODULUS, shapes))
        for number, key in enumerate(self.pair_keys):
            change = parameters_subtraction if number % 2 else parameters_addition
            masked = change(masked, pseudo_rand_gen(key, MODULUS, shapes))
        return [ndarray_to_bytes(array) for array in parameters_mod(masked, MODULUS)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--banks", type=int, required=True)
    parser.add_argument("--lanes", type=int, required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds-max", type=float, default=15)
    parser.add_argument("--slots-only", action="store_true")
    options = parser.parse_args()

    vector = np.arange(options.lanes, dtype=np.int64)
    one_mask, _ = best_time(2, lambda: pseudo_rand_gen(bytes(44), MODULUS, [vector.shape]))
    report = {"version": flwr.__version__, "numpy": np.__version__, "one_mask_seconds": one_mask}
    estimate = one_mask * options.banks
    if estimate > options.seconds_max:
        report["skipped"] = f"one slot takes about {estimate:.0f} s"
        print(json.dumps(report))
        return

    peers = [tuple(asymmetric.public_key_to_bytes(asymmetric.generate_key_pairs()[1])
                   for _ in range(2)) for _ in range(options.banks - 1)]
    bank = Bank(options.banks, peers)
    repeats = max(1, min(options.repeats, int(options.seconds_max / estimate)))
    sharing = 0 if options.slots_only else bank.sharing_seconds()
    if options.slots_only:
        bank.agree_without_shares()
    elif sharing > options.seconds_max:
        report["set_up_skipped"] = f"the shares take about {sharing:.0f} s"
        bank.agree_without_shares()
    else:
        seconds, (sent, received) = best_time(1, bank.set_up)
        more = min(options.repeats, int(options.seconds_max / seconds)) - 1
        if more > 0:
            seconds = min(seconds, best_time(more, bank.set_up)[0])
        report["set_up_seconds"] = seconds
        report["set_up_bytes_sent"], report["set_up_bytes_received"] = sent, received
    report["slot_seconds"], wire = best_time(repeats, lambda: bank.mask(vector))
    report["slot_bytes"] = sum(map(len, wire))
    total = [np.zeros(options.lanes, dtype=np.int64)]

    def add():
        return parameters_addition(total, [bytes_to_ndarray(part) for part in wire])

    report["sum_seconds"], _ = best_time(options.repeats, add)
    report["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(report))


if __name__ == "__main__":
    main()
