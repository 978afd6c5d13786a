"""Shapes of unknown texts: one sentence about many entities has one shape."""

from __future__ import annotations

import pytest

from models.catalogue import Names, shape

NOBODY = Names()

UNKNOWN = "Node {id} of {group} in Cluster {cluster} lost disks [{list}] at {number} % (volume {volume}, status Odd)"


def unknown(number: int, cluster: str, group: str) -> tuple[str, Names]:
    instance = f"i-{number:017x}"
    text = UNKNOWN.format(
        id=instance,
        group=group,
        cluster=cluster,
        list=", ".join("x" * number),
        number=number / 3,
        volume=f"vol-{number:017x}",
    )
    return text, Names(cluster, group, instance)


def test_one_sentence_about_many_entities_has_one_shape() -> None:
    shapes = {shape(*unknown(number, f"train-{number}", f"gpu{number}")) for number in range(1, 50)}
    assert shapes == {
        "Node <instance-id> of <instance-group-name> in Cluster <cluster-name> lost disks <list> at <number> %"
        " (volume <id>, status Odd)"
    }


@pytest.mark.parametrize(
    ("cluster", "group"), [("in", "workers-a"), ("lost", "train"), ("Cluster", "gpu"), ("IG", "x-y")]
)
def test_a_name_that_is_a_word_does_not_tear_the_sentence(cluster: str, group: str) -> None:
    text = "IG {group} in Cluster {cluster} failed to flip"
    expected = "IG <instance-group-name> in Cluster <cluster-name> failed to flip"
    assert shape(text.format(group=group, cluster=cluster), Names(cluster, group)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("uses subnet-0a1 sg-0b2 eni-0c3 ami-0d4", "uses <subnet-id> <security-group-id> <eni-id> <ami-id>"),
        ("see arn:aws:sagemaker:us-west-2:111122223333:cluster/ac7vzqgh29mf.", "see <arn>."),
        ("job 83ea0bb5-be77-45e8-a458-0a87f778a205 gone", "job <uuid> gone"),
        ("code 0xdeadbeef and 5e758b4358aa", "code <hex> and <hex>"),
        ("at 2026-06-01T17:20:25Z in us-west-2 and usw2-az2", "at <time> in <zone> and <zone>"),
        ("in us-gov-west-1a or eusc-de-east-1", "in <zone> or <zone>"),
        ("12 of 1,024 after 30s on ml.p5.48xlarge", "<number> of <number> after <number>s on ml.p5.48xlarge"),
        ("two  spaces\tand \x1b[31m red \ud800", "two spaces and \\x1b<list>"),
        ("failed with status Stalled", "failed with status Stalled"),
        ("list [a, [b] c] d", "list [a, <list> c] d"),
    ],
)
def test_what_differs_becomes_a_placeholder(text: str, expected: str) -> None:
    assert shape(text, NOBODY) == expected


def test_an_unknown_status_is_part_of_the_shape() -> None:
    text = "Instance lifecycle script execution for EC2 Instance i-{} has {}"
    shapes = {shape(text.format(f"{number:017x}", status), NOBODY) for number in range(9) for status in ("Odd", "Even")}
    assert len(shapes) == 2
