"""The catalogue: complete, unambiguous, and not fooled by names that look like sentences."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalogue import (
    BY_CODE,
    CATALOGUE,
    EVENT_CODES,
    FIELD,
    OPERATIONS,
    Names,
    Template,
    classify,
    normalise_operation,
    rank_of,
    shape,
)
from models.catalogue.matching import LONGEST
from models.catalogue.patterns import compile_template, normalise
from models.catalogue.shapes import LONGEST_SHAPE
from tests.test_models.renderings import (
    ADVERSARIAL,
    LEGAL_NAMES,
    NEAR_MISSES,
    TEMPLATES,
    Choice,
    Rendering,
    all_renderings,
    render,
)
from tests.test_models.renderings import OPERATIONS as OPERATION_WORDS

NOBODY = Names()
PATTERNS = {template.code: compile_template(template.text) for template in TEMPLATES}

SECTIONS = {
    "Cluster lifecycle": 4,
    "Instance group lifecycle": 4,
    "Instance group network configuration": 6,
    "Instance creation": 14,
    "Instance deletion": 4,
    "Instance reboot": 2,
    "Instance operation (generic)": 2,
    "Instance replacement": 4,
    "FSx filesystem lifecycle": 9,
    "Patching (common steps)": 13,
    "Access entry management": 4,
    "Kubernetes configuration updates": 2,
    "Karpenter autoscaling": 6,
    "Patching — EKS instance-level": 5,
    "Patching — EKS rollback": 9,
    "Slurm-specific events": 7,
}


def ids(value: object) -> str:
    return value.code if isinstance(value, Template) else ""


def check(rendering: Rendering) -> None:
    found = classify(rendering.text, rendering.names)
    assert found is not None, rendering
    assert found.code == rendering.code, rendering
    assert (found.operation, found.operation_word) == (rendering.operation, rendering.operation_word), rendering
    assert found.status == rendering.status, rendering
    assert found.text == rendering.values, rendering


# --- the entries -----------------------------------------------------------------------------------------------------


def test_every_section_of_the_reference_is_complete() -> None:
    assert Counter(template.section for template in CATALOGUE) == SECTIONS
    assert list(dict.fromkeys(template.section for template in CATALOGUE)) == list(SECTIONS)
    assert len(CATALOGUE) == 95
    assert len(SECTIONS) == 16
    assert len(FIELD) == 2


def test_codes_texts_and_event_names_are_unique() -> None:
    for field in ("code", "text", "event", "rank", "meaning", "example", "near_miss"):
        values = [getattr(template, field) for template in TEMPLATES]
        assert [value for value, count in Counter(values).items() if count > 1] == [], field
    assert not set(BY_CODE) & set(EVENT_CODES)


@pytest.mark.parametrize("template", TEMPLATES, ids=ids)
def test_entry_is_well_formed(template: Template) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z]+", template.code)
    assert template.meaning.endswith(".")
    assert template.rank == rank_of(template.code)
    assert template.level == "Error" if " failed" in template.event.lower() else True
    assert BY_CODE[template.code] is template


@pytest.mark.parametrize("template", TEMPLATES, ids=ids)
def test_example_matches_and_near_miss_does_not(template: Template) -> None:
    found = classify(template.example, NOBODY)
    assert found is not None
    assert found.code == template.code
    assert classify(template.near_miss, NOBODY) is None


# --- recognition -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", TEMPLATES, ids=ids)
@pytest.mark.parametrize("choice", ADVERSARIAL, ids=lambda choice: f"{choice.cluster},{choice.group}")
@pytest.mark.parametrize("with_names", [True, False], ids=["names", "no-names"])
def test_adversarial_rendering_is_recognised(template: Template, choice: Choice, with_names: bool) -> None:
    check(render(template, choice, with_names=with_names))


@pytest.mark.parametrize("template", TEMPLATES, ids=ids)
def test_every_rendering_is_recognised_by_exactly_one_template(template: Template) -> None:
    for rendering in all_renderings(template):
        check(rendering)
        text = normalise(rendering.text)
        assert [code for code, each in PATTERNS.items() if each.whole.fullmatch(text)] == [template.code], text


@pytest.mark.parametrize("template", TEMPLATES, ids=ids)
def test_names_of_the_record_change_nothing_but_the_speed(template: Template) -> None:
    for choice in ADVERSARIAL:
        text = render(template, choice).text
        alone = classify(text, NOBODY)
        for cluster, group in LEGAL_NAMES:
            assert classify(text, Names(cluster, group, choice.instance_id)) == alone


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_near_miss_is_not_recognised(text: str) -> None:
    for names in (NOBODY, Names("train", "gpu", "i-1"), *(Names(*pair) for pair in LEGAL_NAMES)):
        assert classify(text, names) is None, names


@pytest.mark.parametrize("template", CATALOGUE, ids=ids)
def test_nothing_may_stand_before_or_behind(template: Template) -> None:
    text = template.example.removesuffix(".")
    others = [f"Note: {text}", f"-{text}"]
    if template.code != "KarpenterAccessPolicyUpdated":  # begins with free text
        others.append(f"x{text}")
    if template.code not in ("SlurmDriftDetected", "LifecycleScriptFailedWithLogs"):  # these end in free text
        others += [f"{text}, really", f"{text}; {text}", f"{text}. {text}", f"{text}..."]
    for other in others:
        assert classify(other, NOBODY) is None, other


LOGS = "/aws/sagemaker/Clusters/lcs/5e758b4358aa log stream LifecycleConfig/workers/i-1"
LIVE = (
    ("Instance creation in Cluster sample-cluster and InstanceGroup p5Inst failed", "InstanceOperationFailed"),
    ("Instance deletion is starting as part of instance replacement in Cluster c and IG g", "ReplacementStarted"),
    ("Instance deletion i-1 is starting as part of instance replacement in Cluster c and IG g", "ReplacementStarted"),
    (
        "Instance i-1 deletion completed successfully as part of instance replacement in Cluster c and IG g",
        "ReplacementCompleted",
    ),
    ("Instance lifecycle script execution for i-0123456789abcdef0 has Started", "LifecycleScriptStatus"),
    (
        f"Instance lifecycle script execution for EC2 Instance i-1 has Failed. To view lifecycle script logs,"
        f" visit log group {LOGS}",
        "LifecycleScriptFailedWithLogs",
    ),
    ("UpdateClusterSoftware initiated for IG g in Cluster c using RollingUpdate strategy.", "PatchStarted"),
    ("EC2 instance i-1 successfully provisioned in Cluster c and Instance Group g.", "InstanceProvisioned"),
    ("Slurm configuration drift detected", "SlurmDriftDetected"),
    (
        "1 node lost orchestration-ready status. Current: 7/8 orchestration-ready across 1 instance group",
        "OrchestrationReadyLost",
    ),
    (
        "Found Subnet subnet-1 in AZ us-west-2a with SecurityGroupIds sg-1, sg-2 for IG for in Cluster in",
        "NetworkConfigurationFound",
    ),
    ("Instance deletion is starting as part of instance replacement", "ReplacementStarted"),
    ("Instance i-1 failed to start as part of instance replacement.", "ReplacementStartFailed"),
    ("Instance i-1 creation completed successfully as part of instance replacement", "ReplacementCompleted"),
    ("Instance i-1 creation failed as part of instance replacement", "ReplacementFailed"),
)


@pytest.mark.parametrize(("text", "code"), LIVE, ids=[code for _, code in LIVE])
def test_texts_as_seen_on_live_clusters(text: str, code: str) -> None:
    found = classify(text, NOBODY)
    assert found is not None
    assert found.code == code


def test_the_text_says_what_it_names() -> None:
    found = classify("Instance deletion i-1 in Cluster a and IG b completed successfully", Names("other", "gpu", "i-2"))
    assert found is not None
    assert (found.operation, found.operation_word) == ("delete", "deletion")
    assert found.text == {"instance_id": "i-1", "cluster_name": "a", "instance_group": "b"}


def test_log_group_and_lists_are_kept() -> None:
    logs = classify(LIVE[5][0], Names("lcs", "workers", "i-1"))
    network = classify(BY_CODE["NetworkConfigurationFound"].example, NOBODY)
    assert logs is not None
    assert logs.text == {"instance_id": "i-1", "logs": LOGS}
    assert network is not None
    assert network.text["security_groups"] == "sg-0a, sg-0b"


@pytest.mark.parametrize(
    "names",
    [
        Names("my own cluster", "example instance group name", "i-1"),
        Names("in", "example instance group name", "mi-0a"),
        Names("c.d", "gruppe ä", "node/7"),
    ],
)
def test_names_that_aws_would_not_allow_are_read_by_the_record(names: Names) -> None:
    cluster, group, instance = names
    found = classify(f"EC2 Instance {instance} successfully provisioned in Cluster {cluster} and IG {group}", names)
    assert found is not None
    assert found.code == "InstanceProvisioned"
    assert found.text == {"cluster_name": cluster, "instance_group": group, "instance_id": instance}


@pytest.mark.parametrize(("word", "operation"), OPERATION_WORDS.items())
def test_operation_words(word: str, operation: str) -> None:
    assert normalise_operation(word) == operation
    assert operation in OPERATIONS


OTHER_FORMS = {
    "CreateCluster": "create",
    "Updated": "update",
    "TERMINATE": "delete",
    "ScaleUp": "scale",
    "BatchReplaceClusterNodes": "replace",
    "rebooting": "reboot",
    "recreate": "other",
    "増設": "other",
    "": "other",
}


@pytest.mark.parametrize(("word", "operation"), OTHER_FORMS.items())
def test_operation_words_in_other_forms(word: str, operation: str) -> None:
    assert normalise_operation(word) == operation


# --- anything at all -------------------------------------------------------------------------------------------------


def test_long_texts_are_unknown_and_their_shape_is_short() -> None:
    for text in (
        "Slurm configuration drift detected: " + "x" * 2**20,
        "Instance " + "a " * 2**19,
        "[" * 2**20,
        "ab-" * 2**19,
    ):
        assert classify(text, NOBODY) is None
        assert len(shape(text, NOBODY)) <= LONGEST_SHAPE
    assert classify("Slurm configuration drift detected: ".ljust(LONGEST, "x"), NOBODY) is not None


def test_a_name_too_long_to_be_one_is_not_looked_for() -> None:
    names = Names("train", "x" * 2**20, "i-1")
    assert classify("InstanceGroup gpu scaling started successfully in Cluster train", names) is not None
    assert shape("Cluster train sneezed", names) == "Cluster <cluster-name> sneezed"


@pytest.mark.parametrize(
    "text",
    [
        "Instance " + "a " * 2000 + "failed",
        "Found Subnet s in AZ a with SecurityGroupIds " + "a," * 1900 + " for IG g in Cluster",
        "Baking period failed for IG g in Cluster c. Alarms [" + "] entered ALARM state. " * 150,
        "HyperPod Health Monitoring Agent (HMA) has detected fault type " + " on this node and is unhealthy. " * 100,
        "Instance i-1 is unhealthy. HyperPod Health Monitoring Agent (HMA) has detected fault type "
        + "on this node and is unhealthy. Repair action: " * 80
        + "1",
        "." * 4096,
        "ab-" * 1365,
        "arn:aws:." * 450,
        "deadbeef" * 512,
    ],
    ids=lambda text: text[:20],
)
def test_texts_made_to_backtrack_are_soon_done(text: str) -> None:
    names = Names("a", "i", "i-1")
    assert classify(text, names) is None
    assert shape(text, names)


_words = st.sampled_from(sorted({word for template in TEMPLATES for word in template.text.split()}))
_legal_names = st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,20}", fullmatch=True) | st.sampled_from(
    sorted({name for pair in LEGAL_NAMES for name in pair})
)
_names = st.builds(Names, *[st.none() | st.text(max_size=20) | _legal_names] * 3)


@given(st.text() | st.lists(_words | _legal_names).map(" ".join), _names)
def test_no_text_raises(text: str, names: Names) -> None:
    found = classify(text, names)
    assert found is None or found.code in BY_CODE
    result = shape(text, names)
    assert len(result) <= LONGEST_SHAPE
    assert result.isprintable()


@given(st.sampled_from(TEMPLATES), _legal_names, _legal_names, st.sampled_from(sorted(OPERATION_WORDS)), st.booleans())
def test_any_legal_names_are_read(
    template: Template, cluster: str, group: str, operation: str, with_names: bool
) -> None:
    check(render(template, Choice(cluster, group, operation=operation), with_names=with_names))


@given(st.lists(_words | _legal_names, min_size=3, max_size=14).map(" ".join))
def test_no_word_salad_has_two_readings(text: str) -> None:
    text = normalise(text)
    assert len([code for code, each in PATTERNS.items() if each.whole.fullmatch(text)]) <= 1
