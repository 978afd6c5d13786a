"""Runbooks: one for each kind, found from everywhere, and AWS's commands in them are ones that AWS has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ParamValidationError
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.validate import ParamValidator

from models.explain import explain
from models.judge.runbooks import page_of
from models.public import AnomalyKind
from streams.runbooks import pages as runbooks
from tests.markdown import ROOT, anchors, blocks, commands, pages

GLOBAL = {"--query", "--output", "--region", "--profile", "--no-cli-pager"}
OF_THE_CLI = {("s3", "cp"), ("cloudformation", "deploy"), ("logs", "tail")}
"""Commands that the AWS CLI makes out of several operations: the service model does not have them."""


def awss() -> Iterator[Any]:
    for path in pages():
        for block in blocks(path):
            if block.language in ("sh", "console"):
                for words in commands(block):
                    if words[0] == "aws" and tuple(words[1:3]) not in OF_THE_CLI:
                        yield pytest.param(words[1:], id=f"{path.relative_to(ROOT)}: {' '.join(words)[:90]}")


@cache
def service(called: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(called)


def operation(called: str, words: str) -> OperationModel:
    names = {xform_name(name, "-"): name for name in service(called).operation_names}
    assert words in names, f"aws {called} has no {words}"
    return service(called).operation_model(names[words])


def asked(called: str, waiter_words: str) -> str:
    """The operation by which `aws … wait` waits."""
    waiters = botocore.session.get_session().get_waiter_model(called)
    names = {xform_name(name, "-"): name for name in waiters.waiter_names}
    assert waiter_words in names, f"aws {called} cannot wait for {waiter_words}"
    return xform_name(waiters.get_waiter(names[waiter_words]).operation, "-")


@pytest.mark.parametrize("words", list(awss()))
def test_every_aws_command_is_one_that_aws_has(words: list[str]):
    called, operation_words, *options = words
    if operation_words == "wait":
        operation_words, options = asked(called, options[0]), options[1:]
    shape = operation(called, operation_words).input_shape
    assert shape is not None
    known = {f"--{xform_name(name, '-')}": name for name in shape.members}
    given = _given(options)
    assert set(given) <= {*known, *GLOBAL}
    assert set(shape.required_members) <= {known.get(option) for option in given}
    for option, values in given.items():
        if option in known:
            _fits(shape.members[known[option]], values)


def _given(options: list[str]) -> dict[str, list[str]]:
    """Each option with its values."""
    found: dict[str, list[str]] = {}
    for word in options:
        if word.startswith("--"):
            found[word] = []
        else:
            found[next(reversed(found))].append(word)
    return found


def _fits(shape: Shape, values: list[str]) -> None:
    """JSON as the model has it; words as the enumeration has them; shorthand by its names; files are not read."""
    if values and values[0].startswith("file://"):
        return
    if values and values[0][0] in "[{":
        report = ParamValidator().validate(json.loads(values[0]), shape)
        assert not report.has_errors(), ParamValidationError(report=report.generate_report())
        return
    inner = shape.member if shape.type_name == "list" else shape
    for value in values:
        if inner.type_name == "structure":
            names = set(re.findall(r"(?:^|,)(\w+)=", value))
            assert names, value
            assert names <= set(inner.members), value
        elif inner.type_name == "string":
            assert not inner.enum or value in inner.enum, value
        else:
            assert inner.type_name not in ("integer", "long") or value.isdigit(), value
    assert values or inner.type_name == "boolean"


def test_every_kind_has_a_runbook():
    assert set(runbooks.GUIDES) == set(AnomalyKind)


@pytest.mark.parametrize("kind", AnomalyKind)
def test_explain_the_record_and_the_runbook_lead_to_each_other(kind: AnomalyKind):
    (topic,) = (topic for topic in explain(kind) if topic.type == "kind")
    page = ROOT / str(topic.details["runbook"])
    reference = ROOT / "docs/reference/anomalies.md"
    assert page == ROOT / page_of(kind)
    assert kind in anchors(reference)
    assert f"../runbooks/{kind}.md" in reference.read_text()
    assert f"../reference/anomalies.md#{kind}" in page.read_text()


@pytest.mark.parametrize("kind", AnomalyKind)
def test_a_runbook_has_all_its_parts(kind: AnomalyKind):
    text = (ROOT / f"docs/runbooks/{kind}.md").read_text()
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    assert parts[1::2] == ["What it is", "What you see", "Check first", "Do", "Page AWS when", "Over when"]
    assert all(part.strip() for part in parts[2::2])
