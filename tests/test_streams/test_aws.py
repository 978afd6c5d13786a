"""How AWS is asked: whose account, what comes back, what it refuses and how that is said; by AWS's own model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from moto import mock_aws

from streams.aws import PERMISSIONS, Absent, Account, Api, Aws, AwsError, Denied, plain
from tests.builders import Site
from tests.control_plane import Cluster, ControlPlane, Refused
from tests.sagemaker import answering


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of no account, and none of this machine's."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def api() -> Api:
    return Aws(Account(region="us-west-2")).api("sagemaker")


def test_an_answer_is_plain_json_with_times_to_the_millisecond(api: Api) -> None:
    moment = datetime(2026, 5, 4, 10, 0, 0, 123499, tzinfo=UTC)
    plane = ControlPlane(*[Cluster(Site(name), created=moment) for name in ("train", "other")])
    with answering(api.client, plane):
        pages = list(api.pages("list_clusters"))
    found = [each for page in pages for each in page["ClusterSummaries"]]
    assert (len(pages), [each["ClusterName"] for each in found]) == (2, ["train", "other"])
    assert {each["CreationTime"] for each in found} == {"2026-05-04T10:00:00.123Z"}


def test_times_are_the_nearest_milliseconds() -> None:
    moment = datetime(2026, 5, 4, 12, tzinfo=UTC) + timedelta(microseconds=350_999)
    assert plain([{"at": (moment,)}]) == [{"at": ["2026-05-04T12:00:00.351Z"]}]


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (
            "AccessDeniedException",
            Denied,
            "does not allow ListClusterEvents. The permission sagemaker:ListClusterEvents",
        ),
        ("ResourceNotFound", Absent, "AWS refuses ListClusterEvents (ResourceNotFound): because"),
        ("ThrottlingException", AwsError, "AWS asked to slow down 10 times in a row at ListClusterEvents"),
        ("UnrecognizedClientException", AwsError, "does not accept these credentials"),
        ("RequestTimeTooSkewed", AwsError, "check this machine's clock"),
        ("ValidationException", AwsError, "AWS refuses ListClusterEvents (ValidationException): because"),
    ],
)
def test_a_refusal_names_what_was_asked_and_the_way_out(api: Api, code: str, kind: type[AwsError], says: str) -> None:
    def refuse(*_: object) -> None:
        raise Refused(code)

    plane = ControlPlane(Cluster(Site("train")))
    plane.on_call = refuse
    with answering(api.client, plane), pytest.raises(kind, match="AWS") as caught:
        list(api.pages("list_cluster_events", ClusterName="train"))
    assert says in str(caught.value)
    assert (type(caught.value), caught.value.code) == (kind, code)


def test_a_name_that_cannot_be_one_is_refused_before_anything_is_sent(api: Api) -> None:
    with pytest.raises(AwsError, match="AWS cannot be asked for DescribeClusterEvent: Parameter validation failed"):
        api.call("describe_cluster_event", EventId=1, ClusterName="train")


@pytest.mark.parametrize(
    ("variables", "account", "says"),
    [
        ({}, Account(), "Which AWS region"),
        ({}, Account(profile="nobody"), r"profile \(nobody\) could not be found"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, Account(region="us-west-2"), "no AWS credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, Account(region="us-west-2"), "Is that the region"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], account: Account, says: str
) -> None:
    monkeypatch.setattr("streams.aws.TRIES", 1)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(AwsError, match=says):
        Aws(account).api("sagemaker").call("list_clusters")


class Portal(BaseHTTPRequestHandler):
    """Answers everything with a page to log in by, as networks of hotels and companies do."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Log in</html>")

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_what_somebody_else_answers_is_neither_an_answer_nor_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Portal) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", f"http://127.0.0.1:{server.server_port}")
        api = Aws(Account(region="us-west-2")).api("sagemaker")
        with pytest.raises(AwsError, match="What answers DescribeCluster is not AWS"):
            api.call("describe_cluster", ClusterName="train")
        with pytest.raises(AwsError, match="What answers ListClusterEvents is not AWS"):
            list(api.pages("list_cluster_events", ClusterName="train"))
        server.shutdown()


def test_the_region_is_what_the_aws_command_line_would_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert Aws(Account()).region == "eu-west-1"
    assert Aws(Account(region="us-east-2")).region == "us-east-2"


def test_a_role_is_taken_on_first() -> None:
    role = "arn:aws:iam::444455556666:role/reader"
    with mock_aws():
        found: dict[str, Any] = Aws(Account(role_arn=role, region="us-west-2")).api("sts").call("get_caller_identity")
    assert found["Arn"] == "arn:aws:sts::444455556666:assumed-role/reader/hyperpod-state"


def test_permissions_with_names_of_their_own_are_those_of_real_operations() -> None:
    s3 = Aws(Account(region="us-west-2")).api("s3")
    assert set(PERMISSIONS) <= set(s3.client.meta.method_to_api_mapping.values())
