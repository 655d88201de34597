"""Reads a record's latency.hlog with the Python package hdrhistogram and compares it with its record.json.

usage: read_hlog.py FOLDER..

The intervals are merged, those of each statement and those of the slices; count, p50, p95, p99 and max have to be those of the
record. Ends with 1 and a line for each difference where they are not.
"""

import json
import math
import sys
from pathlib import Path

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

# As docs/records.md says: nanoseconds from 1 ns to 1 h with 3 significant digits.
RANGE = (1, 3_600_000_000_000, 3)
NS_PER_MS = 1e6
PERCENTILES = {"p50": 50, "p95": 95, "p99": 99}


def merged(log):
    """The log's histograms by tag; those without a tag, the slices, by None."""
    histograms = {}
    reader = HistogramLogReader(str(log), HdrHistogram(*RANGE))
    while (interval := reader.get_next_interval_histogram()) is not None:
        histograms.setdefault(interval.get_tag(), HdrHistogram(*RANGE)).add(interval)
    reader.close()
    return histograms


def value_at(histogram, percent):
    """The value of rank ceil(percent * count), the definition of latclinic; the package's own rounds the rank."""
    rank = max(1, math.ceil(percent * histogram.get_total_count() / 100))
    seen = 0
    for item in histogram.get_recorded_iterator():
        seen += item.count_added_in_this_iter_step
        if seen >= rank:
            return histogram.get_highest_equivalent_value(item.value_iterated_to)
    return 0


def differences(what, latency, histogram):
    """Lines that say where a record's figures are not those of the histogram."""
    count = histogram.get_total_count()
    if count != latency["samples"]:
        yield f"{what}: {count} samples in the log, {latency['samples']} in the record"
    found = {name: value_at(histogram, percent) for name, percent in PERCENTILES.items()}
    found["max"] = histogram.get_max_value()
    for name, nanoseconds in found.items():
        recorded = latency[name]
        # What its samples do not support is null.
        if recorded is not None and f"{recorded:.2e}" != f"{nanoseconds / NS_PER_MS:.2e}":
            yield f"{what}: {name} is {nanoseconds / NS_PER_MS} ms in the log, {recorded} ms in the record"


def check(folder):
    """Lines that say where the record in a folder and its log differ."""
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    histograms = merged(folder / "latency.hlog")
    expected = {None: ("slices", record["latency_ms"])}
    for statement in record["statements"]:
        tag = "".join("_" if letter == "," or letter.isspace() else letter for letter in statement["name"])
        expected[tag] = (f"statement {statement['name']}", statement["latency_ms"])
    for tag in histograms.keys() - expected.keys():
        yield f"the log has a tag that the record does not: {tag}"
    for tag, (what, latency) in expected.items():
        if tag in histograms:
            yield from differences(what, latency, histograms[tag])
        else:
            yield f"{what}: not in the log"


def main(folders):
    if not folders:
        sys.exit(__doc__)
    faults = [f"{folder}: {fault}" for folder in folders for fault in check(Path(folder))]
    if faults:
        sys.exit("\n".join(faults))
    for folder in folders:
        print(f"{folder}: latency.hlog and record.json agree")


main(sys.argv[1:])
