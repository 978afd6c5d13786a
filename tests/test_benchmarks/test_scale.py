"""docs/scale.md: what it says is what was measured, and what follows from it by the formulas."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from benchmarks.scale import __main__ as scale
from benchmarks.scale import estimate, page, results, seed, words
from benchmarks.scale.estimate import Fleet
from models.rows import FOLD_VERSION
from streams import codecs
from streams.settings import Settings
from streams.topics import DAY_MS, wanted

FOUND = results.read()


def test_the_page_says_what_was_measured():
    assert (page.DOCS / "scale.md").read_text() == page.text(FOUND)


def test_the_points_are_whole_clusters_and_grow():
    sizes = [point.instances for point in FOUND.fleets.points]
    assert sizes == sorted(set(sizes))
    assert len(sizes) > 1
    assert all(point.clusters * FOUND.fleets.cluster_size == point.instances for point in FOUND.fleets.points)
    assert all(point.rows >= point.instances for point in FOUND.fleets.points)


def test_a_line_goes_through_what_was_measured():
    largest = FOUND.fleets.points[-1]
    told = estimate.estimate(FOUND, Fleet(largest.instances, largest.clusters, 1, FOUND.fleets.partitions))
    assert told.rows == pytest.approx(largest.rows)
    assert told.row_bytes == pytest.approx(largest.row_bytes + largest.anomaly_bytes)
    assert told.cold_cpu == pytest.approx(largest.cold_cpu)
    assert told.resident_bytes == pytest.approx(largest.resident_bytes)


def test_twice_the_workers_halve_what_grows_and_leave_what_is_fixed():
    one, two = (estimate.estimate(FOUND, Fleet(1_000_000, 1_000, count, 40)) for count in (10, 20))
    line = estimate.line(FOUND, lambda point: point.disk_bytes)
    assert one.disk_bytes - two.disk_bytes == pytest.approx(line.each * 50_000)
    assert one.row_bytes == two.row_bytes


def test_what_forgets_by_age_is_what_a_day_brings_times_its_days():
    fleet = Fleet(1_000, 1, 1, 1)
    kept, double = estimate.kept(FOUND, fleet), estimate.kept(FOUND, replace(fleet, events_a_day=2.0))
    raw = "hyperpod.events.raw"
    assert kept[raw] == pytest.approx(7 * 1_000 * FOUND.live.single.bytes_each[raw])
    assert double[raw] == pytest.approx(2 * kept[raw])


def test_ticks_grow_with_the_square_of_the_partitions():
    assert estimate.ticks_a_day(FOUND, 8, 8) == pytest.approx(64 * estimate.ticks_a_day(FOUND, 1, 1))


def test_what_is_kept_of_a_day_went_in_that_day():
    fleet = Fleet(1_000_000, 1_000, 10, 30)
    kept = sum(size / estimate.DAYS[name] for name, size in estimate.kept(FOUND, fleet).items())
    compacted = sum(size for name, size in FOUND.live.single.bytes_each.items() if name not in estimate.DAYS)
    assert estimate.written_a_day(FOUND, fleet) == pytest.approx(kept + 1_000_000 * compacted)


def test_as_many_raw_partitions_are_reckoned_with_as_sizing_advises():
    advised = re.findall(r"^\| [\w ,]+ \| \d+ \| \d+, (\d+) \|", (page.DOCS / "sizing.md").read_text(), re.MULTILINE)
    assert advised
    assert set(map(int, advised)) == {estimate.RAW}
    assert f"ticks of {estimate.RAW} raw partitions" in str(words.FORMULAS)


def test_topics_are_kept_as_long_as_the_worker_says():
    told = {topic.name: topic.config.get("retention.ms") for topic in wanted(Settings()) if not topic.compacted}
    days = {name: int(kept) // DAY_MS for name, kept in told.items() if kept}
    assert days == {name: kept for name, kept in estimate.DAYS.items() if name != "hyperpod.events.raw"}
    assert told["hyperpod.events.raw"] is None


@pytest.mark.parametrize("given", ["1000", "500,1000", "many,1000", "0,1000", "1000,1000"])
def test_sizes_that_cannot_be_measured_are_refused(monkeypatch, capsys, given):
    monkeypatch.setenv("SIZES", given)
    assert scale.main([]) == scale.UNUSABLE
    assert capsys.readouterr().err.startswith("SIZES are two or more multiples of 1000")


def test_sizes_are_measured_from_the_smallest_on():
    assert scale.chosen("") == [1_000, 10_000, 100_000]
    assert scale.chosen("10000,1000") == [1_000, 10_000]


def test_a_cluster_is_made_of_rows_as_tables_have_them():
    made = list(seed.taken(seed.folded(seed.shape(3, 5))))
    tables = [key.table for key, _ in made]
    assert tables.count("instances") == 5
    assert {"instance_groups", "clusters"} >= set(tables) - {"instances"}
    assert all(codecs.unwrap_row(value, FOLD_VERSION) for _, value in made)


@pytest.mark.parametrize(("count", "said"), [(999, "999 B"), (1_500, "1.5 kB"), (250e6, "250 MB"), (1.2e12, "1.2 TB")])
def test_bytes_are_shown_for_people(count, said):
    assert page.size(count) == said


@pytest.mark.parametrize(("count", "said"), [(0.016, "0.016 s"), (1.25, "1.2 s"), (45.2, "45 s"), (300, "5.0 min")])
def test_times_are_shown_for_people(count, said):
    assert page.seconds(count) == said
