#!/usr/bin/env python3
"""Puts our costs of secure aggregation and Flower's side by side.

`measure(ours, theirs, say)` runs every combination, each in a process of its own, one after the
other; `text(results)` is the table for people.
"""

BANKS = [5, 10, 20, 50, 200]
LANES = [10_000, 100_000, 1_000_000]
# Like Flower's modulus of 2^32; narrower and wider rings cost the same time and other bytes.
RING_BITS = 32
# A run of 100 trees of depth 6: one gated slot and six plain ones a tree.
TREES = 100
PLAIN_SLOTS = 6
# What a slot waits for at least where banks are in different cities, seconds.
ROUND_TRIP = 0.02


def measure(ours, theirs, say):
    """`ours(banks, lanes, gates)` and `theirs(banks, lanes, slots_only)` give one measurement each.

    Flower's set-up is measured once for each number of banks: lanes do not change it.
    """
    rows = []
    for banks in BANKS:
        set_up = {}
        for lanes in LANES:
            say(f"{banks} banks, {lanes} lanes")
            other = theirs(banks, lanes, bool(set_up))
            if not set_up:
                set_up = {k: v for k, v in other.items() if k.startswith("set_up")} or {
                    "set_up_skipped": other.get("skipped", "not measured")}
            rows.append(row(banks, lanes, ours(banks, lanes, TREES), {**set_up, **other}))
    return {"ring_bits": RING_BITS, "combinations": rows, "aims": aims(rows)}


def row(banks, lanes, mine, other):
    """One combination; ratios above 1 are in our favour."""
    masks = TREES * (mine["gated_slot_seconds"] + PLAIN_SLOTS * mine["slot_seconds"])
    run = masks + TREES * (1 + PLAIN_SLOTS) * ROUND_TRIP
    result = {
        "banks": banks, "lanes": lanes, "ours": mine, "flower": other,
        "set_up_share_of_masking": mine["set_up_seconds"] / (masks + mine["set_up_seconds"]),
        "set_up_share_of_run": mine["set_up_seconds"] / (run + mine["set_up_seconds"]),
    }
    if "skipped" not in other:
        result["ratios"] = {
            # Both mask with n - 1 pairwise masks and one of the bank's own.
            "slot": other["slot_seconds"] / mine["gated_slot_seconds"],
            "slot_bytes": other["slot_bytes"] / mine["slot_bytes"],
            "sum": other["sum_seconds"] / mine["sum_seconds"],
        }
        if "set_up_seconds" in other:
            result["ratios"]["set_up"] = other["set_up_seconds"] / mine["set_up_seconds"]
    return result


def aims(rows):
    """What the project has set itself."""
    central = next(
        (r for r in rows if r["banks"] == 20 and r["lanes"] == 1_000_000 and "ratios" in r), None)
    return {
        "slot_ratio_at_20_banks_and_1000000_lanes":
            {"aim": 5, "got": central and central["ratios"]["slot"]},
        "upload_part_of_flowers":
            {"aim": 0.5, "got": central and 1 / central["ratios"]["slot_bytes"]},
        "largest_set_up_share_of_run":
            {"aim": 0.01, "got": max(r["set_up_share_of_run"] for r in rows)},
        "largest_peak_bytes": {"aim": 100e6, "got": max(r["ours"]["peak_bytes"] for r in rows)},
    }


def text(results):
    """The table."""
    header = ("banks", "lanes", "set-up ms", "set-up kB", "slot ms", "masks GB/s", "slot kB",
              "sum GB/s", "peak MB", "set-up % of masks", "of run", "Flower slot ms", "slot x", "bytes x", "sum x",
              "set-up x")
    lines = [header]
    for entry in results["combinations"]:
        mine, other = entry["ours"], entry["flower"]
        line = [
            entry["banks"], entry["lanes"], f"{mine['set_up_seconds'] * 1e3:.2f}",
            f"{mine['set_up_bytes_sent'] / 1e3:.1f}", f"{mine['gated_slot_seconds'] * 1e3:.3f}",
            f"{mine['mask_gigabytes_per_second']:.2f}", f"{mine['slot_bytes'] / 1e3:.0f}",
            f"{mine['sum_gigabytes_per_second']:.2f}", f"{mine['peak_bytes'] / 1e6:.0f}",
            f"{entry['set_up_share_of_masking'] * 100:.2f}",
            f"{entry['set_up_share_of_run'] * 100:.3f}",
        ]
        if "ratios" in entry:
            ratios = entry["ratios"]
            line += [f"{other['slot_seconds'] * 1e3:.1f}"] + [
                f"{ratios[name]:.{2 if name == 'slot_bytes' else 1}f}"
                for name in ("slot", "slot_bytes", "sum")]
            line.append(
                f"{ratios['set_up']:.0f}" if "set_up" in ratios else
                f"skipped: {other['set_up_skipped']}")
        else:
            line += [f"skipped: {other['skipped']}"]
        lines.append([str(cell) for cell in line])
    widths = [
        max(len(line[i]) for line in lines if i < len(line) and not line[i].startswith("skipped"))
        for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths)) for line in lines)
