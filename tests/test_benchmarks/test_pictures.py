"""Bars, and the comparison of instruction counts."""

from __future__ import annotations

from xml.etree import ElementTree

from benchmarks.instructions import SHAPE, STAGES, compare, stage
from benchmarks.plots import WIDTH, Bar, bars, number
from benchmarks.workload import values

GIVEN = [Bar("ours", 80, 70, 90, ours=True), Bar("theirs <&>", 40, 40, 40)]


def test_a_picture_is_xml_and_the_same_each_time():
    picture = bars("Title & more", "events/s", GIVEN)
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert picture == bars("Title & more", "events/s", GIVEN)


def test_the_longest_line_fits():
    root = ElementTree.fromstring(bars("t", "u", GIVEN))
    ends = [float(line.attrib["x2"]) for line in root.iter("{http://www.w3.org/2000/svg}line")]
    assert max(ends) < WIDTH


def test_no_figures_make_an_empty_picture():
    assert ElementTree.fromstring(bars("t", "u", [])) is not None


def test_numbers_are_as_long_as_they_are_exact():
    assert [number(value) for value in (12345.6, 12.34, 1.234)] == ["12,346", "12.3", "1.23"]


def test_more_instructions_than_allowed_are_told_and_fail():
    lines, good = compare({"read": 1000, "fold": 1000}, {"read": 1050, "fold": 900}, "instructions")
    assert not good
    assert "✘ more" in lines[0]
    assert "RENEW=1" in lines[1]


def test_a_little_more_is_no_difference():
    lines, good = compare({"read": 1000}, {"read": 1020}, "instructions")
    assert good
    assert lines[0].endswith("✔")


def test_every_stage_takes_the_fixed_input():
    for name in STAGES:
        stage(name, values(SHAPE, 100))
