"""`backfill`, asked of a control plane held to AWS's own model: into files, killed, resumed, throttled, refused."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from models.public import Document
from streams.aws import Account, Aws, AwsError
from streams.backfill import control_plane, exports
from streams.backfill.control_plane import NoEvents, Window
from streams.backfill.exports import in_s3, values
from streams.backfill.items import Tally, items
from streams.backfill.spool import Spool, SpoolError, file_name
from streams.replay import replay
from tests.builders import HOUR, MINUTE, START, Event, Node, Site, heartbeat, patched, provisioned, raw, replaced
from tests.control_plane import Cluster, ControlPlane, Refused, with_uuid
from tests.markdown import ROOT, blocks
from tests.sagemaker import answering, serving

SITE = Site("train", delay=0)


def life(site: Site, nodes: int, at: int = START) -> list[Event]:
    """Births, an update and replacements of a group: cluster events alone, as the API has no others."""
    group = [Node(site, "workers", f"i-{site.name:0>5.5}{n:012}".replace(" ", "0"), f"s-{n}") for n in range(nodes)]
    events = [event for n, node in enumerate(group) for event in provisioned(node, at + n * MINUTE)]
    events += patched(group[:4], at + HOUR, alarm=True)
    for n, node in enumerate(group[::3]):
        heir = Node(site, "workers", f"{node.instance[:-3]}9{n:02}", node.slot)
        events += replaced(node, heir, at + 4 * HOUR + n * MINUTE)
    told = [event for event in events if event["detail-type"] == "SageMaker HyperPod Cluster Event"]
    return sorted(map(with_uuid, told), key=lambda event: event["detail"]["EventDetails"]["EventTime"])


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with serving(ControlPlane(Cluster(SITE, life(SITE, 60)[:500]))) as found:
        yield found


def command(plane: ControlPlane, *more: str) -> list[str]:
    return [sys.executable, "-m", "streams.cli", "backfill", *more]


def run(plane: ControlPlane, *more: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(plane, *more),
        env={**os.environ, **plane.env, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def filled(plane: ControlPlane, folder: Path, *more: str) -> dict[str, Any]:
    done = run(plane, "--out", str(folder), "-o", "json", *more)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def document(paths: list[Path], now: int = START + 8 * HOUR) -> Document:
    return replay([str(path) for path in paths], now_ms=now)


def live(tmp_path: Path, events: list[Event]) -> Document:
    path = tmp_path / "live.jsonl"
    path.write_bytes(b"\n".join(raw(events)))
    return document([path])


def state(found: Document) -> dict[str, Any]:
    """All that is known of clusters, without what only counts values."""
    return {key: value for key, value in found.model_dump(mode="json").items() if key != "summary"}


def test_killed_half_way_and_resumed_it_gives_the_state_of_the_live_stream(plane: ControlPlane, tmp_path: Path) -> None:
    (cluster,) = plane.clusters.values()
    assert len(cluster.events) == 500
    out, process = tmp_path / "out", list[subprocess.Popen[bytes]]()

    def kill(*_: object) -> None:
        if plane.calls["DescribeClusterEvent"] == 250:
            process[0].kill()

    plane.on_call = kill
    process.append(subprocess.Popen(command(plane, "--out", str(out)), env={**os.environ, **plane.env}))
    assert process[0].wait(120) == -9
    plane.on_call = lambda *_: None
    plane.calls.clear()
    (found,) = filled(plane, out)["items"]
    assert plane.calls["DescribeClusterEvent"] == 500 - found["resumed"]
    assert 240 <= found["resumed"] <= 250
    assert (found["listed"], found["delivered"]) == (500, 500)
    (path,) = out.iterdir()
    known = document([path])
    assert (known.summary.read, known.summary.applied, known.summary.duplicate) == (500, 500, 0)
    assert state(known) == state(live(tmp_path, cluster.events))
    assert known.anomalies


def test_files_are_in_the_order_of_time_and_done_twice_stay_as_they_are(plane: ControlPlane, tmp_path: Path) -> None:
    middle = plane.clusters[SITE.arn].events[250]["detail"]["EventDetails"]["EventTime"]
    filled(plane, tmp_path, "--start", str(middle))
    filled(plane, tmp_path, "--end", str(middle))
    (path,) = tmp_path.iterdir()
    once = path.read_bytes()
    times = [json.loads(line)["EventDetails"]["EventTime"] for line in once.splitlines()]
    assert len(times) == 500
    assert times == sorted(times)
    plane.calls.clear()
    filled(plane, tmp_path)
    assert path.read_bytes() == once
    assert plane.calls["DescribeClusterEvent"] == 0


def test_a_window_is_kept_to(plane: ControlPlane, tmp_path: Path) -> None:
    (found,) = filled(plane, tmp_path, "--start", str(START + HOUR), "--end", str(START + 2 * HOUR))["items"]
    assert 0 < found["delivered"] < 500
    assert "2026-05-28T21:26:40.000Z" <= found["oldest"] <= found["newest"] <= "2026-05-28T22:26:40.000Z"


def test_throttling_is_waited_out(plane: ControlPlane, tmp_path: Path) -> None:
    def throttle(*_: object) -> None:
        if sum(plane.calls.values()) % 20 == 2:
            raise Refused("ThrottlingException", "Rate exceeded")

    plane.clusters[SITE.arn].events = plane.clusters[SITE.arn].events[:40]
    plane.on_call = throttle
    assert [each["delivered"] for each in filled(plane, tmp_path)["items"]] == [40]


def test_all_clusters_of_an_account_are_filled_and_those_without_events_named(tmp_path: Path) -> None:
    sites = [Site(name, delay=0) for name in ("one", "two", "old")]
    clusters = [Cluster(site, life(site, 3)) for site in sites]
    clusters[2].continuous = False
    with serving(ControlPlane(*clusters)) as plane:
        done = run(plane, "--out", str(tmp_path))
        assert done.returncode == 0
        assert "older ones are gone" not in done.stdout
        assert (
            f"{sites[2].arn} is left out: it has no events: its NodeProvisioningMode is not Continuous" in done.stderr
        )
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(file_name(site.arn) for site in sites[:2])
        named = run(plane, "--out", str(tmp_path), "--cluster", "old", "--cluster", "nobody")
        assert named.returncode == 1
        assert "nobody is left out: there is no cluster nobody in this account and region" in named.stderr


@pytest.mark.parametrize("allowed", [True, False])
def test_a_cluster_without_events_is_known_as_one_however_aws_says_so(
    allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words of the refusal are documented nowhere: left to them, no run would ever be done."""
    old, new = Cluster(Site("old"), continuous=False), Cluster(Site("new"))
    plane = ControlPlane(old, new)

    def refuse(operation: str, _: dict[str, Any]) -> None:
        if operation == "ListClusterEvents":
            raise Refused("ValidationException", "not supported")
        if not allowed:
            raise Refused("AccessDeniedException")

    plane.on_call = refuse
    for name, value in {**plane.env, "AWS_ENDPOINT_URL_SAGEMAKER": ""}.items():
        monkeypatch.setenv(name, value)
    api = Aws(Account()).api("sagemaker")
    with answering(api.client, plane):
        with pytest.raises(NoEvents if allowed else AwsError, match="not Continuous" if allowed else "not supported"):
            control_plane.listed(api, old.site.arn, Window())
        with pytest.raises(AwsError, match="not supported"):
            control_plane.listed(api, new.site.arn, Window())


def test_an_event_that_aws_has_let_go_of_is_what_the_list_said(plane: ControlPlane, tmp_path: Path) -> None:
    cluster = plane.clusters[SITE.arn]
    cluster.events = cluster.events[:20]
    cluster.forgotten = {cluster.events[7]["detail"]["EventDetails"]["EventId"]}
    filled(plane, tmp_path)
    assert document(list(tmp_path.iterdir())).summary.applied == 20


def test_metadata_that_eventbridge_left_out_are_filled_in_in_any_order(plane: ControlPlane, tmp_path: Path) -> None:
    cluster = plane.clusters[SITE.arn]
    cluster.events = cluster.events[:200]
    filled(plane, tmp_path / "out")
    bare = [json.loads(json.dumps(event)) for event in cluster.events]
    for event in bare:
        event["detail"]["EventDetails"]["EventDetails"] = {"EventMetadata": None}
    path = tmp_path / "live.jsonl"
    path.write_bytes(b"\n".join(raw(bare)))
    (found,) = (tmp_path / "out").iterdir()
    before, after = document([path, found]), document([found, path])
    assert (before.summary.applied, before.summary.duplicate) == (200, 200)
    assert state(before) == state(after) == state(live(tmp_path, cluster.events))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("AccessDeniedException", "The permission sagemaker:ListClusterEvents is missing. It says: because"),
        ("ExpiredTokenException", "AWS does not accept these credentials (ExpiredTokenException). Log in again"),
        ("InternalFailure", "AWS refuses ListClusterEvents (InternalFailure): because"),
    ],
)
def test_what_aws_refuses_is_said_with_the_way_out(plane: ControlPlane, tmp_path: Path, code: str, says: str) -> None:
    def refuse(*_: object) -> None:
        raise Refused(code, "because")

    plane.on_call = refuse
    done = run(plane, "--out", str(tmp_path), "--cluster", "train", AWS_MAX_ATTEMPTS="1")
    assert done.returncode == 3
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "example" not in done.stderr


NO_ONE = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


@pytest.mark.parametrize(
    ("options", "env", "code", "says"),
    [
        ([], NO_ONE, 3, "There are no AWS credentials here. Log in"),
        ([], {"AWS_REGION": ""}, 3, "Which AWS region? Give --region, or set AWS_REGION."),
        (["--profile", "nobody"], {}, 3, "nobody"),
        (["--start", "2026-01-02", "--end", "2026-01-01"], {}, 2, "--start is after --end"),
        (["--from-files", "/nowhere"], {}, 3, "/nowhere: no such file or folder"),
        (["--from-s3", "bucket"], {}, 3, "'bucket' is no address in S3: give s3://BUCKET/PREFIX"),
    ],
)
def test_what_cannot_be_done_is_said(
    plane: ControlPlane, tmp_path: Path, options: list[str], env: dict[str, str], code: int, says: str
) -> None:
    done = run(plane, "--out", str(tmp_path), *options, **env)
    assert (done.returncode, says in done.stderr, "Traceback" in done.stderr) == (code, True, False), done.stderr


def test_without_boto3_it_says_what_to_install(plane: ControlPlane, tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("raise ImportError\n")
    done = run(plane, "--out", str(tmp_path / "out"), PYTHONPATH=f"{tmp_path}{os.pathsep}{Path.cwd()}")
    assert done.returncode == 3
    assert "pip install 'hyperpod-state[aws]'" in done.stderr


def exported(folder: Path, events: list[Event]) -> None:
    """The same events as three ways of exporting leave them."""
    values = [*raw(events[:100]), *raw([heartbeat(START)])]
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "firehose").write_bytes(b"".join(values))  # no line ends
    stamped = b"".join(b"2026-05-28T20:26:40.123Z " + value + b"\n" for value in raw(events[100:300]))
    (folder / "b.gz").write_bytes(gzip.compress(stamped))
    (folder / "aws-logs-write-test").write_text("Permission Check Successful")
    (folder / "c.jsonl").write_bytes(b"\n".join(raw(events[300:])))


def test_exports_are_brought_into_order_and_nothing_else_of_them(plane: ControlPlane, tmp_path: Path) -> None:
    events = plane.clusters[SITE.arn].events
    exported(tmp_path / "exports", [*events[::2], *events[1::2]])
    found = filled(plane, tmp_path / "out", "--from-files", str(tmp_path / "exports"))
    assert not plane.calls
    assert found["values"] == {"read": 502, "outside": 0, "ignored": 1, "unreadable": 1}
    assert [each["delivered"] for each in found["items"]] == [500]
    (path,) = (tmp_path / "out").iterdir()
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    times = [line["detail"]["EventDetails"]["EventTime"] for line in lines]
    assert times == sorted(times)
    assert sorted(lines, key=json.dumps) == sorted(events, key=json.dumps)


def test_batches_of_a_subscription_of_cloudwatch_logs_are_opened(plane: ControlPlane, tmp_path: Path) -> None:
    """As Firehose leaves them in S3: batches gzipped one by one, behind each other, and a word of CloudWatch's own."""

    def batch(kind: str, *messages: str) -> bytes:
        lines = [{"id": str(n), "timestamp": START + n, "message": message} for n, message in enumerate(messages)]
        head = {"messageType": kind, "owner": "1", "logGroup": "/aws/events/hyperpod", "logStream": "s"}
        return gzip.compress(json.dumps({**head, "subscriptionFilters": ["all"], "logEvents": lines}).encode())

    events = plane.clusters[SITE.arn].events[:5]
    told = [value.decode() for value in raw([*events, heartbeat(START)])]
    checks = batch("CONTROL_MESSAGE", "CWL CONTROL MESSAGE: Checking health of destination Firehose.")
    (tmp_path / "batches").write_bytes(
        checks + batch("DATA_MESSAGE", *told[:3]) + batch("DATA_MESSAGE", *told[3:], "no event")
    )
    found = filled(plane, tmp_path / "out", "--from-files", str(tmp_path / "batches"))
    assert found["values"] == {"read": 7, "outside": 0, "ignored": 1, "unreadable": 1}
    assert [each["delivered"] for each in found["items"]] == [5]
    (path,) = (tmp_path / "out").iterdir()
    assert sorted(path.read_bytes().splitlines()) == sorted(raw(events))


def test_a_value_that_only_speaks_of_batches_stays_what_it_is(tmp_path: Path) -> None:
    odd = [
        b'{"logEvents": 1}',
        b'{"messageType": "DATA_MESSAGE", "logEvents": {}}',
        b'["logEvents"]',
        b'{"logEvents": ' + b"[" * 9000,
    ]
    event = raw([{**life(SITE, 1)[0], "note": '"logEvents"'}])[0]
    (tmp_path / "odd.jsonl").write_bytes(b"\n".join([*odd, event]))
    (source,) = exports.local(tmp_path)
    found = list(values(source))
    assert found[-1] == event
    assert len(found) >= len(odd)


def test_a_senders_dead_letters_are_exports_as_the_aws_command_line_prints_them(
    plane: ControlPlane, tmp_path: Path
) -> None:
    """docs/feed.md brings them so: SQS moves no messages out of a queue that is no other queue's dead letters."""
    folder, events = tmp_path / "letters", plane.clusters[SITE.arn].events[:5]
    folder.mkdir()
    bodies = [value.decode() for value in raw([*events, heartbeat(START)])]
    letters = [{"MessageId": f"m-{n}", "ReceiptHandle": "AQEB", "Body": body} for n, body in enumerate(bodies)]
    (folder / "1.json").write_text(json.dumps({"Messages": letters}, indent=4) + "\n")
    (folder / "2.json").write_text("")  # there are no more
    found = filled(plane, tmp_path / "out", "--from-files", str(folder))
    assert found["values"] == {"read": 6, "outside": 0, "ignored": 1, "unreadable": 0}
    assert [each["delivered"] for each in found["items"]] == [5]


def test_exports_of_one_cluster_and_a_damaged_file(plane: ControlPlane, tmp_path: Path) -> None:
    other = life(Site("other"), 2)
    exported(tmp_path / "exports", [*plane.clusters[SITE.arn].events[:400], *other])
    options = ("--from-files", str(tmp_path / "exports"), "--cluster", "other")
    found = filled(plane, tmp_path / "out", *options)
    assert [each["cluster"] for each in found["items"]] == [Site("other").arn]
    assert found["values"]["outside"] == 400
    done = run(plane, "--out", str(tmp_path / "out"), *options, "--cluster", "ohter")
    assert done.returncode == 1
    assert "ohter is left out: the exports have no event of it" in done.stderr
    path = tmp_path / "exports" / "b.gz"
    path.write_bytes(path.read_bytes()[:-20])
    done = run(plane, "--out", str(tmp_path / "again"), *options)
    assert done.returncode == 3
    assert "b.gz: the gzip data is cut off or damaged" in done.stderr


def test_objects_under_a_prefix_are_exports_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**ControlPlane().env, "AWS_ENDPOINT_URL_SAGEMAKER": ""}.items():
        monkeypatch.setenv(name, value)
    events = life(SITE, 2)
    with mock_aws():
        api = Aws(Account()).api("s3")
        api.call("create_bucket", Bucket="exports", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        for key, data in (("logs/b.gz", gzip.compress(raw(events)[1])), ("logs/a", raw(events)[0]), ("other", b"{}")):
            api.call("put_object", Bucket="exports", Key=key, Body=data)
        sources = in_s3(api, "s3://exports/logs/")
        assert [source.name for source in sources] == ["s3://exports/logs/a", "s3://exports/logs/b.gz"]
        assert [value for source in sources for value in values(source)] == raw(events)[:2]
        with pytest.raises(AwsError, match="AWS refuses ListObjectsV2 \\(NoSuchBucket\\)"):
            in_s3(api, "s3://nobody/logs")


def test_the_page_names_the_permissions_that_are_needed() -> None:
    policies = [json.loads(block.text) for block in blocks(ROOT / "docs/backfill.md") if block.language == "json"]
    named = [statement["Action"] for policy in policies for statement in policy["Statement"]]
    actions = {action for each in named for action in ([each] if isinstance(each, str) else each)}
    assert actions == {*control_plane.PERMISSIONS, *exports.PERMISSIONS}


def test_a_line_that_a_kill_cut_off_is_found_again(tmp_path: Path) -> None:
    events = [item for value in raw(life(SITE, 1)) for item in items(value, Tally())]
    spool = Spool(tmp_path)
    assert all(spool.add(item) for item in events)
    assert not spool.add(events[0])
    spool.close()
    path = tmp_path / file_name(SITE.arn)
    path.write_bytes(path.read_bytes()[:-10])
    again = Spool(tmp_path)
    with pytest.raises(SpoolError, match="Another run works in"):
        Spool(tmp_path)
    assert again.kept(SITE.arn) == len(events) - 1
    assert again.add(events[-1])
    assert list(again.in_order(SITE.arn)) == [item.data for item in sorted(events, key=lambda item: item.order)]
    again.close()
