"""Where to read on: the log that says what went wrong, else the runbook of the kind.

Knows: how CloudWatch's console and HyperPod's log streams are named.  Must not know: how anything is found, or shown.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from models.judge.findings import Finding
from models.judge.scene import Scene
from models.public import Cause

FOLDER = "docs/runbooks"
"""Where each kind of anomaly has a page."""
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
}


def runbook(scene: Scene, finding: Finding) -> str:
    """A lifecycle script's log where its instance is known, else the kind's page."""
    node, group = finding.node, finding.group_name
    if finding.cause == Cause.LIFECYCLE_SCRIPT and node and node.instance_id and group and scene.cluster_name:
        return _script_log(scene.cluster_arn, scene.cluster_name, group, node.instance_id) or page_of(finding.kind)
    return page_of(finding.kind)


def page_of(kind: str) -> str:
    """The runbook of a kind."""
    return f"{FOLDER}/{kind}.md"


def _script_log(arn: str, name: str, group: str, instance: str) -> str | None:
    """The stream in CloudWatch's console; None where the ARN does not say of which region."""
    parts = arn.split(":")
    console = _CONSOLES.get(parts[1]) if len(parts) == 6 else None
    if console is None:
        return None
    region, cluster_id = parts[3], parts[5].rpartition("/")[2]
    stream = f"{_twice(f'/aws/sagemaker/Clusters/{name}/{cluster_id}')}/log-events/"
    stream += _twice(f"LifecycleConfig/{group}/{instance}")
    return f"https://{region}.{console}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{stream}"


@lru_cache(maxsize=1024)  # a cluster is judged again and again
def _twice(text: str) -> str:
    """As the console's addresses have it: encoded twice, with `$` for the outer `%`."""
    return quote(quote(text, safe=""), safe="").replace("%", "$")
