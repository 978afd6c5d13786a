"""The commands of docs/feed.md: a shell can read them, AWS has such operations, the templates such parameters."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.session import get_session

from tests.test_deploy.templates import NAMES, Template

PAGE = (Path(__file__).parents[2] / "docs" / "feed.md").read_text()
TERRAFORM = Path(__file__).parents[2] / "deploy" / "terraform"
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
AWS = [
    f"aws {text.strip()}"
    for block in BLOCKS
    for text in re.split(r"^aws ", block.replace("\\\n", " "), flags=re.MULTILINE)[1:]
]
OF_THE_CLI = {"--query", "--region", "--output"}
OWN: dict[str, set[str]] = {"s3 cp": set(), "logs tail": {"--since"}, "cloudformation wait": {"--stack-name"}}
DEPLOY = {"--stack-name", "--template-file", "--parameter-overrides", "--capabilities"}


@pytest.mark.parametrize("block", BLOCKS)
def test_a_shell_reads_it(block: str) -> None:
    ran = subprocess.run(["bash", "-n", "-c", block], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("text", AWS)
def test_aws_has_the_operation_and_its_options(text: str) -> None:
    _, service, command, *rest = shlex.split(text)
    options = {word for word in rest if word.startswith("--")} - OF_THE_CLI
    if f"{service} {command}" in OWN:
        assert options <= OWN[f"{service} {command}"]
    elif (service, command) == ("cloudformation", "deploy"):
        assert options == DEPLOY
        deploys(rest)
    else:
        model = get_session().get_service_model(service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        shape = model.operation_model(names[command]).input_shape
        members = {f"--{xform_name(name, '-')}" for name in shape.members}
        required = {f"--{xform_name(name, '-')}" for name in shape.required_members}
        assert required <= options <= members


def test_the_tutorials_list_is_all_that_aws_keeps() -> None:
    """Told how large a page is to be, the AWS command line asks for one page alone."""
    text = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text()
    (command,) = re.findall(r"^aws sagemaker list-cluster-events .*$", text, re.MULTILINE)
    assert "--max-results" not in command


def test_the_workers_permissions_are_those_of_the_page_on_kubernetes() -> None:
    (policy,) = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    actions = {action.removeprefix("kafka-cluster:") for each in policy["Statement"] for action in each["Action"]}
    page = (Path(__file__).parents[2] / "docs" / "kubernetes.md").read_text()
    (named,) = re.findall(r"The role needs, on the cluster,(.*?)\n\n", page, re.DOTALL)
    assert actions == {name.removeprefix("kafka-cluster:") for name in re.findall(r"`([\w:-]+)`", named)}


def deploys(words: list[str]) -> None:
    """The template is there, takes these parameters, and gets all that it has no default for."""
    path = Path(words[words.index("--template-file") + 1])
    assert path.stem in NAMES
    parameters = Template.load(path.stem).data["Parameters"]
    given = dict(word.split("=", 1) for word in words[words.index("--parameter-overrides") + 1 :])
    assert set(given) <= set(parameters)
    assert {name for name, each in parameters.items() if "Default" not in each} <= set(given)


def test_every_alarm_and_output_that_it_names_is_there() -> None:
    templates = [Template.load(name) for name in NAMES]
    alarms = {name for template in templates for name in template.of_type("AWS::CloudWatch::Alarm")}
    assert alarms == set(re.findall(r"alarm `(\w+)`", PAGE))
    outputs = {name for template in templates for name in template.data.get("Outputs", {})}
    assert set(re.findall(r"outputs? `(\w+)`", PAGE)) <= outputs


@pytest.mark.parametrize(
    ("file", "stack", "template"),
    [("main.tf", "feed", "feed"), ("main.tf", "to_kafka", "to-kafka"), ("sender/main.tf", "sender", "sender")],
)
def test_terraform_gives_the_templates_parameters_that_they_have(file: str, stack: str, template: str) -> None:
    text = (TERRAFORM / file).read_text()
    found = re.search(rf'resource "aws_cloudformation_stack" "{stack}" {{(.*?)\n}}', text, re.DOTALL)
    assert found is not None
    assert f"/cloudformation/{template}.yaml" in found[1]
    given = set(re.findall(r"^    (\w+) +=", found[1], re.MULTILINE))
    parameters = Template.load(template).data["Parameters"]
    assert given == set(parameters)  # whoever lives in Terraform can set what the page tells others to set
