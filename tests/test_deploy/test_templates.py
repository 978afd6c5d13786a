"""What the templates promise beyond what cfn-lint and checkov ask: numbers that belong together, names that agree."""

from __future__ import annotations

import importlib
import json
import re
from typing import Any

import pytest

from models.reading import read
from models.unwrap import Value, unwrap
from streams.feed.sender import PREFIX, Access
from tests.builders import START, heartbeat
from tests.test_deploy.templates import NAMES, Template

FEED, KAFKA, PROXY, SENDER = (Template.load(name) for name in ("feed", "to-kafka", "to-rest-proxy", "sender"))
TEMPLATES = {name: Template.load(name) for name in NAMES}
# Actions whose resource cannot be named, each with the reason that the template gives.
UNNAMED = {
    "the key's own policy": {"kms:*", "kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt", "kms:ReEncrypt*"}
    | {"kms:GenerateDataKey*", "kms:DescribeKey"},
    "network interfaces": {f"ec2:{name}NetworkInterface" for name in ("Create", "Delete")}
    | {"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}
    | {"ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"},
}


def statements(value: Any) -> list[dict[str, Any]]:
    """Every statement of a policy, anywhere in a template."""
    if isinstance(value, list):
        return [each for item in value for each in statements(item)]
    if not isinstance(value, dict):
        return []
    own = [value] if "Effect" in value else []
    return own + [each for item in value.values() for each in statements(item)]


def meaning(raw: str) -> list[Any]:
    """What the worker reads in a record of the raw topic."""
    values = [each for each in unwrap(raw.encode()) if isinstance(each, Value)]
    return [read(value, latest=lambda _: None) for value in values]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_a_message_is_not_handed_out_again_while_the_function_may_still_have_it() -> None:
    assert FEED.properties("Queue")["VisibilityTimeout"] >= 6 * KAFKA.properties("Function")["Timeout"]


def test_a_day_without_kafka_fills_no_dead_letter_queue_and_those_are_kept_longest() -> None:
    queue, letters = FEED.properties("Queue"), FEED.properties("DeadLetters")
    assert queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"] >= 86_400
    assert letters["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"] > 86_400


def test_the_pipe_waits_for_the_functions_answer() -> None:
    target = KAFKA.properties("Pipe")["TargetParameters"]["LambdaFunctionParameters"]
    assert target == {"InvocationType": "REQUEST_RESPONSE"}


def test_the_function_is_where_lambda_looks_for_it_and_understands_its_variables() -> None:
    function = KAFKA.properties("Function")
    module, _, name = function["Handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))
    variables = function["Environment"]["Variables"]
    known = {f"{PREFIX}{word}" for word in ("BROKERS", "RAW_TOPIC", "KAFKA_TLS", "KAFKA_SASL_MECHANISM")}
    assert set(variables) == known
    chosen = {name: "b:9098" if isinstance(value, dict) else value for name, value in variables.items()}
    _, with_iam, without = variables[f"{PREFIX}KAFKA_SASL_MECHANISM"]["Fn::If"]
    for mechanism in (with_iam, without):
        access = Access.of({**chosen, f"{PREFIX}KAFKA_SASL_MECHANISM": mechanism, "AWS_REGION": "us-west-2"})
        assert (access.tls, access.mechanism) == (True, mechanism)


@pytest.mark.parametrize("template", [FEED, SENDER], ids=["feed", "sender"])
def test_the_schedule_sends_the_heartbeat_that_the_worker_knows(template: Template) -> None:
    schedule = template.properties("Heartbeat")
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(5 minutes)", "ENABLED")
    words, text = schedule["Target"]["EventBridgeParameters"], schedule["Target"]["Input"]
    sent = {**heartbeat(START), "source": words["Source"], "detail-type": words["DetailType"]}
    assert meaning(json.dumps({**sent, "detail": json.loads(text)})) == meaning(json.dumps(heartbeat(START))) != []


@pytest.mark.parametrize("name", NAMES)
def test_roles_may_do_only_what_is_named_on_what_is_named(name: str) -> None:
    allowed = [each for each in statements(TEMPLATES[name].data) if each["Effect"] == "Allow"]
    unnamed = set().union(*UNNAMED.values())
    for each in allowed:
        actions = set(listed(each["Action"]))
        assert "*" not in listed(each.get("Resource", "")) or actions <= unnamed, each
        assert not {action for action in actions if "*" in action} - unnamed, each
        if each.get("Principal") == "*":
            assert each["Condition"], each


@pytest.mark.parametrize("name", NAMES)
def test_what_several_events_have_is_compared_with_an_operator_for_sets(name: str) -> None:
    """A call of PutEvents sends several, so `events:source` has several values; if it had none, all would be equal."""
    for condition in (each["Condition"] for each in statements(TEMPLATES[name].data) if "Condition" in each):
        used = {operator for operator, keys in condition.items() if "events:source" in keys}
        assert used in (set(), {"ForAllValues:StringEquals", "Null"}), condition


@pytest.mark.parametrize("name", NAMES)
def test_queues_and_logs_are_encrypted_with_a_key_that_turns(name: str) -> None:
    template = TEMPLATES[name]
    assert all(each["KmsMasterKeyId"] for each in template.of_type("AWS::SQS::Queue").values())
    assert all(each["KmsKeyId"] for each in template.of_type("AWS::Logs::LogGroup").values())
    assert all(each["EnableKeyRotation"] for each in template.of_type("AWS::KMS::Key").values())


def test_each_way_an_event_can_be_held_up_has_an_alarm() -> None:
    alarms = FEED.of_type("AWS::CloudWatch::Alarm")
    watched = {(each["MetricName"], each["Dimensions"][0]["Value"]["Fn::GetAtt"]) for each in alarms.values()}
    assert watched == {
        ("ApproximateAgeOfOldestMessage", "Queue.QueueName"),
        ("NumberOfMessagesDeleted", "Queue.QueueName"),
        ("ApproximateNumberOfMessagesVisible", "DeadLetters.QueueName"),
    }
    assert alarms["NothingPasses"]["TreatMissingData"] == "breaching"
    silent = alarms["NothingPasses"]["Period"] * alarms["NothingPasses"]["EvaluationPeriods"]
    assert silent == 3 * 300  # three heartbeats, as for feed_silent


@pytest.mark.parametrize("counted", [2, 3], ids=["strictly", "as it is written"])
def test_in_an_outage_the_alarm_of_the_queues_age_stays(counted: int) -> None:
    """SQS leaves a message out of a queue's age once it was handed out more than three times.

    So in an outage each heartbeat has an age for a while only; whether for three tries or for two is read either way.
    """
    visible, alarm = FEED.properties("Queue")["VisibilityTimeout"], FEED.properties("QueueIsOld")
    beats, day = range(0, 86_400, 300), range(3600, 86_400, alarm["Period"])
    ages = [max((now - at for at in beats if 0 <= now - at < visible * counted), default=0) for now in day]
    too_old = [age > alarm["Threshold"] for age in ages]
    width, least = alarm["EvaluationPeriods"], alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
    assert all(sum(too_old[end - width : end]) >= least for end in range(width, len(too_old) + 1))


def test_one_try_that_failed_is_no_alarm() -> None:
    """Its message comes again after the visibility timeout, and is gone soon after."""
    visible, alarm = FEED.properties("Queue")["VisibilityTimeout"], FEED.properties("QueueIsOld")
    took = KAFKA.properties("Function")["Timeout"]
    for phase in range(alarm["Period"]):
        ages = range(phase, visible + 2 * took, alarm["Period"])
        assert sum(age > alarm["Threshold"] for age in ages) < alarm["DatapointsToAlarm"]


@pytest.mark.parametrize("template", [KAFKA, PROXY], ids=["to-kafka", "to-rest-proxy"])
def test_an_event_that_goes_on_to_fail_is_an_alarm_while_others_pass(template: Template) -> None:
    """The queue's age no longer tells of it, and heartbeats go on to be deleted."""
    (alarm,) = template.of_type("AWS::CloudWatch::Alarm").values()
    expression, *metrics = alarm["Metrics"]
    counts = {each["Id"]: each["MetricStat"] for each in metrics}
    assert {each["Metric"]["MetricName"] for each in counts.values()} == {
        "ExecutionFailed",
        "ExecutionPartiallyFailed",
        "ExecutionTimeout",
    }
    assert all(f"FILL({name}, 0)" in expression["Expression"] for name in counts)
    for each in counts.values():
        assert each["Metric"]["Namespace"] == "AWS/EventBridge/Pipes"
        assert each["Metric"]["Dimensions"] == [{"Name": "PipeName", "Value": {"Ref": "Pipe"}}]
        # Tries come once a visibility timeout: each period has one.
        assert (each["Stat"], each["Period"] > FEED.properties("Queue")["VisibilityTimeout"]) == ("Sum", True)
    assert alarm["TreatMissingData"] == "notBreaching"
    assert set(alarm["AlarmActions"]["Fn::If"][1][0]) == {"Ref"}


@pytest.mark.parametrize("name", NAMES)
def test_a_first_deployment_that_fails_leaves_nothing_and_a_deletion_leaves_events(name: str) -> None:
    """A key that nobody knows of costs money each month."""
    resources = TEMPLATES[name].data["Resources"].values()
    assert {each.get("DeletionPolicy") for each in resources} <= {None, "Delete", "RetainExceptOnCreate"}
    keep = ("AWS::SQS::Queue", "AWS::KMS::Key", "AWS::Events::Archive")
    kept = [each["DeletionPolicy"] for each in resources if each["Type"] in keep]
    assert set(kept) <= {"RetainExceptOnCreate"}


def test_an_archive_that_outlives_its_stack_has_a_bus_to_be_replayed_to() -> None:
    """EventBridge keeps a rule for it on that bus, and a bus with a rule cannot be deleted: neither could the stack."""
    resources = FEED.data["Resources"]
    for each in FEED.of_type("AWS::Events::Archive").values():
        bus = each["SourceArn"].get("Fn::GetAtt", "").removesuffix(".Arn")
        assert not bus or resources[bus]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_what_is_replayed_can_be_named() -> None:
    """Each archive, and the rule of the same bus: EventBridge replays to the bus that it has archived."""
    told = {each["Value"]["Fn::GetAtt"] for each in FEED.data["Outputs"].values() if "Fn::GetAtt" in each["Value"]}
    replayed = [*FEED.of_type("AWS::Events::Archive"), *FEED.of_type("AWS::Events::Rule")]
    assert len(replayed) == 4
    assert {f"{name}.Arn" for name in replayed} <= told


def test_what_one_stack_takes_from_the_other_is_exported_there() -> None:
    exported = {each["Export"]["Name"]["Fn::Sub"] for each in FEED.data["Outputs"].values() if "Export" in each}
    for template in (KAFKA, PROXY):
        taken = set(re.findall(r'"Fn::ImportValue": \{"Fn::Sub": "([^"]+)"', json.dumps(template.data)))
        assert taken
        assert {name.replace("${FeedStack}", "${AWS::StackName}") for name in taken} <= exported


def test_the_rest_proxy_gets_one_record_in_the_form_that_the_worker_unwraps() -> None:
    pipe = PROXY.properties("Pipe")
    assert pipe["SourceParameters"]["SqsQueueParameters"] == {"BatchSize": 1}
    event = json.dumps(heartbeat(START))
    body = pipe["TargetParameters"]["InputTemplate"].replace("<$.body>", event)
    assert meaning(body) == meaning(event) != []
