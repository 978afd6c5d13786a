"""What the rendered chart has to be, whatever is chosen: tables that stay, secrets, doors, time to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from streams.alerts.config import load
from streams.http import STOP_SECONDS
from streams.settings import Settings
from streams.web.auth import OPEN
from tests.test_deploy.chart import (
    NAMESPACE,
    RELEASE,
    ROOT,
    SETS,
    Item,
    container,
    parses,
    rendered,
    selects,
    variables,
)

PREFIX = "HYPERPOD_STATE_"
DATA = "/var/lib/hyperpod-state"
every = pytest.mark.parametrize("name", SETS)


def settings(template: Item, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What a worker makes of its pod's variables; the secrets' files are in `folder`."""
    for name, value in variables(template).items():
        monkeypatch.setenv(name, value.replace("/run/secrets", str(folder)))
    token = folder / "http-token" / "token"
    token.parent.mkdir()
    token.write_text("0123456789abcdef\n")
    monkeypatch.delenv(f"{PREFIX}CONFIG", raising=False)
    return Settings()


@every
def test_the_worker_understands_its_variables(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = rendered(name).worker()
    told = settings(template, tmp_path, monkeypatch)
    scheme = "https" if told.http_tls_certificate_file else "http"
    assert told.http_advertise == f"{scheme}://{RELEASE}-0.{RELEASE}-workers.{NAMESPACE}.svc:8780"
    assert told.address(told.http_port) == told.http_advertise
    ours = {each["name"] for each in container(template)["env"] if each["name"].startswith(PREFIX)}
    known = {f"{PREFIX}{field}".upper() for field in Settings.model_fields} | {f"{PREFIX}SERVER", f"{PREFIX}CONFIG"}
    assert ours <= known
    assert len(container(template)["env"]) == len(variables(template))


def test_a_set_with_everything_says_what_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = settings(rendered("three-workers").worker(), tmp_path, monkeypatch)
    assert (told.app_id, told.cache_mb, told.checkpoint_interval, told.store) == ("hyperpod-state-eu", 64, 0.5, False)
    assert (told.partitions, told.raw_partitions, told.replication_factor) == (12, 6, 3)
    assert (told.kafka_sasl_mechanism, told.kafka_username) == ("SCRAM-SHA-512", "hyperpod-state")
    assert told.max_record_bytes == 16 * 1024 * 1024


@every
def test_every_pod_runs_a_command_that_there_is(name: str) -> None:
    commands = [container(template)["args"] for template in rendered(name).templates()]
    for words in commands:
        parses(words)
    assert ["worker"] in commands


@every
def test_a_worker_has_a_volume_and_an_id_of_its_own(name: str) -> None:
    workers = rendered(name).one("StatefulSet")["spec"]
    (claim,) = workers["volumeClaimTemplates"]
    mounts = {each["name"]: each["mountPath"] for each in container(workers["template"])["volumeMounts"]}
    assert mounts[claim["metadata"]["name"]] == DATA
    assert variables(workers["template"], "w-7")[f"{PREFIX}INSTANCE_ID"] == "w-7"
    assert variables(workers["template"])[f"{PREFIX}DATA_DIR"].startswith(f"{DATA}/")
    assert workers["serviceName"] == f"{RELEASE}-workers"
    assert workers["persistentVolumeClaimRetentionPolicy"] == {"whenScaled": "Retain", "whenDeleted": "Retain"}


@every
def test_a_worker_that_restores_for_ten_minutes_is_not_killed(name: str) -> None:
    template = rendered(name).worker()
    worker = container(template)
    probes = {kind: worker[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")}
    paths = {kind: probe["httpGet"]["path"] for kind, probe in probes.items()}
    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    assert set(paths.values()) == OPEN  # neither token nor certificate: a probe has none
    scheme = "HTTPS" if f"{PREFIX}HTTP_TLS_CERTIFICATE_FILE" in variables(template) else "HTTP"
    assert {probe["httpGet"]["scheme"] for probe in probes.values()} == {scheme}
    assert probes["startup"]["periodSeconds"] * probes["startup"]["failureThreshold"] >= 120
    assert float(variables(template)[f"{PREFIX}RESTORE_DEADLINE"]) > 600


@every
def test_a_worker_has_time_to_end_in_order(name: str) -> None:
    template = rendered(name).worker()
    (_, before) = container(template)["lifecycle"]["preStop"]["exec"]["command"]
    own = float(variables(template)[f"{PREFIX}STOP_SECONDS"]) + 2 * STOP_SECONDS
    assert template["spec"]["terminationGracePeriodSeconds"] >= float(before) + own + 15


def test_more_time_for_the_last_checkpoint_is_more_time_to_end() -> None:
    spec = rendered("one-worker", "times.stop=60").worker()["spec"]
    assert spec["terminationGracePeriodSeconds"] == 5 + 60 + 30


@every
def test_no_pod_has_rights_that_it_does_not_need(name: str) -> None:
    for template in rendered(name).templates():
        spec, inside = template["spec"], container(template)["securityContext"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert inside["readOnlyRootFilesystem"] is True
        assert inside["allowPrivilegeEscalation"] is False
        assert inside["capabilities"] == {"drop": ["ALL"]}
        assert spec["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert "memory" in container(template)["resources"]["limits"]
        # Else Kubernetes sets HYPERPOD_STATE_… variables of its own, named after services: settings to us.
        assert spec["enableServiceLinks"] is False


@every
def test_a_pod_runs_as_the_user_of_the_image(name: str) -> None:
    text = (ROOT / "docker" / "Dockerfile").read_text()
    for template in rendered(name).templates():
        context = template["spec"]["securityContext"]
        assert f"\nUSER {context['runAsUser']}:{context['runAsGroup']}\n" in text
        assert context["fsGroup"] == context["runAsGroup"]
        assert DATA in {each["mountPath"] for each in container(template)["volumeMounts"]}


@every
def test_secrets_are_files_that_are_there(name: str) -> None:
    for template in rendered(name).templates():
        assert not any("secretKeyRef" in str(each) for each in container(template)["env"])
        secrets = {each["name"]: each["secret"] for each in template["spec"]["volumes"] if "secret" in each}
        mounts = {each["mountPath"]: each for each in container(template)["volumeMounts"]}
        for variable, path in variables(template).items():
            if variable.endswith("_FILE"):
                mount = mounts[path.rpartition("/")[0]]
                assert mount["readOnly"] is True
                assert secrets[mount["name"]]["defaultMode"] == 0o440


def test_the_token_of_the_values_is_in_a_secret_alone() -> None:
    everything = rendered("one-worker")
    secret = everything.one("Secret", f"{RELEASE}-token")
    assert list(secret["data"]) == ["token"]
    shown = [item for item in everything.items if "for-trials-only" in str(item)]
    assert shown == []
    assert not rendered("three-workers").of("Secret")


@every
def test_whatever_selects_pods_finds_them(name: str) -> None:
    everything = rendered(name)
    selectors = [
        *(item["spec"]["selector"] for item in everything.of("Service")),
        *(item["spec"]["selector"]["matchLabels"] for kind in ("StatefulSet", "Deployment", "PodDisruptionBudget")
          for item in everything.of(kind)),
        *(item["spec"]["podSelector"]["matchLabels"] for item in everything.of("NetworkPolicy")),
        *(each["labelSelector"]["matchLabels"]
          for each in everything.worker()["spec"]["topologySpreadConstraints"]),
    ]  # fmt: skip
    for labels in selectors:
        assert any(selects(labels, template) for template in everything.templates()), labels
    (budget,) = everything.of("PodDisruptionBudget")
    assert [selects(budget["spec"]["selector"]["matchLabels"], each) for each in everything.templates()].count(
        True
    ) == 1
    assert budget["spec"]["maxUnavailable"] == 1


@every
def test_the_workers_names_are_known_before_they_are_ready(name: str) -> None:
    service = rendered(name).one("Service", f"{RELEASE}-workers")["spec"]
    assert (service["clusterIP"], service["publishNotReadyAddresses"]) == ("None", True)
    assert service["ports"][0]["port"] == int(variables(rendered(name).worker())[f"{PREFIX}HTTP_PORT"])
    assert "publishNotReadyAddresses" not in rendered(name).one("Service")["spec"]


@every
def test_a_worker_may_be_asked_by_the_names_of_its_service(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = rendered(name)
    told = settings(everything.worker(), tmp_path, monkeypatch)
    by_doctor = urlsplit(variables(everything.one("Pod", f"{RELEASE}-doctor"))[f"{PREFIX}SERVER"]).hostname
    assert by_doctor == f"{RELEASE}.{NAMESPACE}.svc"
    if told.http_allowed_hosts:
        assert {by_doctor, RELEASE, "hyperpod-state.example.com"} <= set(told.http_names)


def ports(rule: Item) -> set[tuple[Any, str]]:
    return {(each["port"], each["protocol"]) for each in rule["ports"]}


def test_only_named_places_get_in() -> None:
    own = {"podSelector": {"matchLabels": {f"app.kubernetes.io/{key}": RELEASE for key in ("name", "instance")}}}
    (rule,) = rendered("one-worker").one("NetworkPolicy")["spec"]["ingress"]
    assert rule == {"from": [own], "ports": [{"port": "http", "protocol": "TCP"}]}
    (rule,) = rendered("three-workers").one("NetworkPolicy")["spec"]["ingress"]
    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    assert rule["from"] == [own, monitoring]
    assert (
        rendered("one-worker", "alerts.enabled=true", "alerts.config=[alerts]").one(
            "NetworkPolicy", f"{RELEASE}-alerts"
        )["spec"]["ingress"]
        == []
    )


def test_only_names_kafka_and_workers_are_asked() -> None:
    spec = rendered("three-workers").one("NetworkPolicy", f"{RELEASE}-egress")["spec"]
    names, kafka, workers = spec["egress"]
    assert spec["policyTypes"] == ["Egress"]
    assert ports(names) == {(53, "UDP"), (53, "TCP")}
    assert ports(kafka) == {(9094, "TCP"), (9095, "TCP")}
    assert kafka["to"] == [{"ipBlock": {"cidr": "10.20.0.0/16"}}]
    assert workers["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "worker"


def test_kafka_by_iam_has_a_role_and_reaches_aws_for_it() -> None:
    everything = rendered("msk-iam")
    account = everything.one("ServiceAccount")
    assert list(account["metadata"]["annotations"]) == ["eks.amazonaws.com/role-arn"]
    assert everything.worker()["spec"]["serviceAccountName"] == account["metadata"]["name"]
    _, kafka, _, sts, agent = everything.one("NetworkPolicy", f"{RELEASE}-egress")["spec"]["egress"]
    assert (ports(kafka), ports(sts), ports(agent)) == ({(9098, "TCP")}, {(443, "TCP")}, {(80, "TCP")})
    assert [each["ipBlock"]["cidr"] for each in agent["to"]] == ["169.254.170.23/32", "fd00:ec2::23/128"]
    told = variables(everything.worker())
    assert told[f"{PREFIX}KAFKA_SASL_MECHANISM"] == "AWS_MSK_IAM"
    assert not {f"{PREFIX}KAFKA_USERNAME", f"{PREFIX}KAFKA_PASSWORD_FILE"} & set(told)


def test_each_place_is_asked_by_one_process_with_a_role_of_its_own() -> None:
    everything = rendered("msk-iam")
    told = {item["metadata"]["name"].removeprefix(f"{RELEASE}-reconcile-"): item["spec"]
            for item in everything.of("Deployment")}  # fmt: skip
    assert list(told) == ["us-west-2", "research"]
    account = everything.one("ServiceAccount", f"{RELEASE}-reconcile")
    for spec in told.values():
        assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
        assert spec["template"]["spec"]["serviceAccountName"] == account["metadata"]["name"]
        others = [each["template"] for each in told.values() if each is not spec]
        assert not any(selects(spec["selector"]["matchLabels"], each) for each in others)
    assert container(told["research"]["template"])["args"][1:] == [
        "--region=eu-west-1", "--role-arn=arn:aws:iam::444455556666:role/hyperpod-state", "--interval=120",
        "--events=all", "--cluster=ml-research", "--cluster=ml-debug",
    ]  # fmt: skip
    door = everything.one("NetworkPolicy", f"{RELEASE}-reconcile")["spec"]
    assert (door["ingress"], [ports(each) for each in door["egress"]]) == ([], [{(443, "TCP")}, {(80, "TCP")}])


def test_prometheus_asks_every_worker_under_the_names_that_the_rules_use() -> None:
    everything = rendered("three-workers")
    for name, job in ((RELEASE, "hyperpod-state"), (f"{RELEASE}-alerts", "hyperpod-state-alerts")):
        monitor = everything.one("ServiceMonitor", name)["spec"]
        (endpoint,) = monitor["endpoints"]
        assert {"targetLabel": "job", "replacement": job} in endpoint["relabelings"]
        assert {"targetLabel": "fleet", "replacement": f"{NAMESPACE}/{RELEASE}"} in endpoint["relabelings"]
        services = [
            item for item in everything.of("Service")
            if monitor["selector"]["matchLabels"].items() <= item["metadata"]["labels"].items()
        ]  # fmt: skip
        (service,) = services
        assert service["spec"]["clusterIP"] == "None"
        assert endpoint["port"] in {each["name"] for each in service["spec"]["ports"]}
    (endpoint,) = everything.one("ServiceMonitor")["spec"]["endpoints"]
    assert endpoint["scheme"] == "https"
    assert endpoint["authorization"]["credentials"] == {"name": "hyperpod-state-token", "key": "token"}
    assert endpoint["tlsConfig"]["serverName"] == f"{RELEASE}-0.{RELEASE}-workers.{NAMESPACE}.svc"
    assert endpoint["tlsConfig"]["cert"]["secret"]["name"] == "prometheus-client"


def groups(name: str, restore: int = 1800) -> list[Item]:
    """As they are in deploy/, but for what a release knows of itself."""
    text = (ROOT / "deploy" / "prometheus" / f"{name}.rules.yml").read_text()
    own = f'or absent(hyperpod_state_ready{{fleet="{NAMESPACE}/{RELEASE}"}} == 1)'
    text = text.replace("or on () absent(hyperpod_state_ready == 1)", own)
    found: list[Item] = yaml.safe_load(text.replace("for: 4m", f"for: {restore * 4 // 5}s"))["groups"]
    return found


def alert(name: str, *more: str) -> Item:
    """A rule of the chart."""
    told = rendered("msk-iam", *more).one("PrometheusRule")["spec"]["groups"]
    (found,) = [rule for group in told for rule in group["rules"] if rule["alert"] == name]
    return dict(found)


def test_another_release_that_is_well_does_not_hide_that_this_one_is_gone() -> None:
    assert (
        f'absent(hyperpod_state_ready{{fleet="{NAMESPACE}/{RELEASE}"}} == 1)' in alert("HyperpodNoWorkerReady")["expr"]
    )


def test_a_restore_that_has_its_time_raises_no_alarm() -> None:
    assert alert("HyperpodRestoreLong")["for"] == "1440s"
    assert alert("HyperpodRestoreLong", "times.restore=300")["for"] == "240s"


def test_the_rules_are_those_of_deploy_prometheus() -> None:
    assert rendered("msk-iam").one("PrometheusRule")["spec"]["groups"] == groups("fleet") + groups("pipeline")


def test_nobody_is_told_twice_where_alerts_run() -> None:
    found = rendered("three-workers").one("PrometheusRule")["spec"]["groups"]
    assert [each["name"] for each in found] == [each["name"] for each in groups("pipeline")]
    links = {rule["annotations"]["runbook_url"] for each in found for rule in each["rules"]}
    assert all(link.startswith("https://docs.example.com/docs/monitoring.md#") for link in links)
    asked = rendered("three-workers", "prometheusRule.fleet=always").one("PrometheusRule")["spec"]["groups"]
    assert len(asked) == len(groups("fleet") + groups("pipeline"))


def test_one_process_pages_people_with_settings_that_it_understands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = rendered("three-workers")
    spec = everything.one("Deployment", f"{RELEASE}-alerts")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert container(spec["template"])["args"] == ["alerts", "run", "--metrics", "8781", "--metrics-host", "0.0.0.0"]
    file = tmp_path / "alerts.toml"
    file.write_text(everything.one("ConfigMap", f"{RELEASE}-alerts")["data"]["alerts.toml"])
    assert variables(spec["template"])[f"{PREFIX}CONFIG"] == "/etc/hyperpod-state/alerts.toml"
    monkeypatch.setenv(f"{PREFIX}CONFIG", str(file))
    assert [sink.name for sink in load().sinks] == ["oncall"]
    assert [each["mountPath"] for each in container(spec["template"])["volumeMounts"] if each["name"] == "sinks"] == [
        "/run/secrets/alerts"
    ]


def test_the_image_is_named_by_its_digest_where_there_is_one() -> None:
    assert "@sha256:" in container(rendered("three-workers").worker())["image"]
    assert container(rendered("one-worker", "image.tag=v9").worker())["image"].endswith("/hyperpod-state:v9")
