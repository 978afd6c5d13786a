"""What docker/compose.yaml promises, as far as it can be read: no engine is needed here."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter
from typer.main import get_command

from streams.cli.app import app
from streams.settings import Settings
from tests.test_docker.reading import DATA, ROOT, last
from tests.test_monitoring.prometheus import binary, promtool

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MONITORED = ROOT / "docker" / "monitoring"
OURS = ("kafka", "worker-1", "worker-2", "simulator")
WORKERS = ("worker-1", "worker-2")
MONITORING = ("prometheus", "alertmanager", "grafana")
PREFIX = "HYPERPOD_STATE_"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_rights_it_does_not_need(name):
    service = SERVICES[name]
    assert service["read_only"] is (name != "grafana")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "network_mode" not in service


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_is_the_user_of_its_image(name):
    assert SERVICES[name]["user"] == last("broker" if name == "kafka" else "worker", "USER")


def test_each_service_has_a_volume_of_its_own():
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", [])]
    volumes = [(volume, target) for volume, target, *_ in mounts if not volume.startswith(".")]
    assert sorted(volume for volume, _ in volumes) == sorted(COMPOSE["volumes"])
    assert {target for volume, target in volumes if volume in OURS} == {DATA}


def test_files_are_mounted_to_be_read_and_are_there():
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", [])]
    files = [(source, mode) for source, _, *mode in mounts if source.startswith(".")]
    assert files
    assert {tuple(mode) for _, mode in files} == {("ro",)}
    assert all((ROOT / "docker" / source).exists() for source, _ in files)


def test_what_is_published_is_on_loopback_and_can_be_moved():
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports.keys() == {*WORKERS, *MONITORING}
    assert all(re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z0-9_]+:-\d+\}:\d+", port) for [port] in ports.values())
    assert len({port for [port] in ports.values()}) == len(ports)


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_has_a_name_and_an_address_that_stay(name):
    environment = SERVICES[name]["environment"]
    assert environment[PREFIX + "INSTANCE_ID"] == name
    assert environment[PREFIX + "HTTP_ADVERTISE"] == f"http://{name}:8780"


@pytest.mark.parametrize("name", WORKERS)
def test_http_beyond_the_container_needs_a_token_from_outside(name):
    service = SERVICES[name]
    assert service["environment"][PREFIX + "HTTP_HOST"] == "0.0.0.0"
    assert service["environment"][PREFIX + "HTTP_TOKEN_FILE"] == "/run/secrets/http-token"
    assert service["secrets"] == ["http-token"]
    assert COMPOSE["secrets"] == {"http-token": {"file": "${TOKEN_FILE:-./http-token}"}}


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_understands_every_setting(name, monkeypatch, tmp_path):
    for setting, value in SERVICES[name]["environment"].items():
        assert setting.removeprefix(PREFIX).lower() in Settings.model_fields
        monkeypatch.setenv(setting, re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", value))
    (tmp_path / "token").write_text("0123456789abcdef\n")
    monkeypatch.setenv(PREFIX + "HTTP_TOKEN_FILE", str(tmp_path / "token"))
    told = Settings()
    assert (told.brokers, told.instance_id) == ("kafka:19092", name)
    assert told.partitions >= len(WORKERS)


def test_the_defaults_of_compose_are_those_of_the_worker():
    for setting, value in SERVICES["worker-1"]["environment"].items():
        if (default := re.fullmatch(r"\$\{\w+:-(.*)\}", value)) and setting != PREFIX + "BROKERS":
            field = Settings.model_fields[setting.removeprefix(PREFIX).lower()]
            assert TypeAdapter(field.annotation).validate_python(default[1]) == field.default, setting


def test_kafka_is_known_by_the_name_it_advertises():
    kafka = SERVICES["kafka"]
    command = kafka["command"]
    assert command[command.index("--host") + 1] == kafka["hostname"] == "kafka"
    assert all(SERVICES[name]["depends_on"]["kafka"]["condition"] == "service_healthy" for name in WORKERS)


def test_only_what_is_needed_comes_up_unasked():
    asked = {name: service.get("profiles") for name, service in SERVICES.items()}
    assert asked == {
        **dict.fromkeys(("kafka", *WORKERS), None),
        "simulator": ["simulator"],
        **{name: ["monitoring"] for name in MONITORING},
    }


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_can_be_waited_for(name):
    """As every command of the page does; `up --wait` fails where a check of the image is turned off."""
    check = SERVICES[name].get("healthcheck", {"test": last("worker", "HEALTHCHECK")})
    assert check["test"]
    assert not check.get("disable")


def test_the_simulator_is_well_once_it_has_written_what_it_goes_on_from():
    simulator = SERVICES["simulator"]
    assert simulator["healthcheck"]["test"] == ["CMD", "test", "-s", simulator["command"][-1]]


def test_what_the_page_says_to_end_it_ends_every_profile():
    page = " ".join((ROOT / "docs" / "containers.md").read_text().split())
    assert re.findall(r"docker compose [^`]* down", page) == [
        "docker compose -f docker/compose.yaml --profile '*' down"
    ]


def test_the_simulator_s_command_is_one():
    words = [re.sub(r"\$\{\w+:-(.*)\}", r"\1", word) for word in SERVICES["simulator"]["command"]]
    command = get_command(app).commands[words[0]]  # type: ignore[attr-defined]
    given = command.make_context("simulate", words[1:]).params
    assert (given["brokers"], given["topic"]) == ("kafka:19092", "hyperpod.events.raw")


def test_only_those_who_need_the_token_are_given_it():
    given = {name for name, service in SERVICES.items() if "secrets" in service}
    assert given == {*WORKERS, "prometheus", "grafana"}
    assert not [word for service in SERVICES.values() for word in service.get("command", []) if "TOKEN" in str(word)]


def test_an_image_is_built_once_by_a_service_that_comes_up_unasked():
    """Builds go on at the same time: on a machine that has no image yet, the second one of a name fails."""
    for name in OURS:
        builders = [
            each for each in OURS if "build" in SERVICES[each] and SERVICES[each]["image"] == SERVICES[name]["image"]
        ]
        assert len(builders) == 1, name
        assert "profiles" not in SERVICES[builders[0]]


def test_nothing_secret_is_asked_for_while_building():
    builds = [SERVICES[name]["build"] for name in OURS if "build" in SERVICES[name]]
    assert all(build.get("args", {}).keys() <= {"EXTRAS"} and "secrets" not in build for build in builds)


def test_prometheus_asks_every_worker_and_keeps_every_rule():
    told = yaml.safe_load((MONITORED / "prometheus.yml").read_text())
    deployed = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    [job] = told["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"{name}:8780" for name in WORKERS]}]
    assert job["job_name"] == deployed["scrape_configs"][0]["job_name"]
    assert (told["global"], told["rule_files"]) == (deployed["global"], deployed["rule_files"])


def test_grafana_s_data_source_is_the_one_of_its_dashboards():
    ours, theirs = (
        yaml.safe_load(path.read_text())["datasources"][0]
        for path in (MONITORED / "datasources.yml", ROOT / "deploy/grafana/provisioning/datasources/hyperpod-state.yml")
    )
    assert ours == theirs | {"url": "http://prometheus:9090"}


def test_prometheus_understands_its_configuration(tmp_path):
    inside = "/etc/prometheus"
    for mount in SERVICES["prometheus"]["volumes"]:
        source, target, *_ = mount.split(":")
        if target.startswith(inside):
            shutil.copy(ROOT / "docker" / source, tmp_path / target.removeprefix(f"{inside}/"))
    (tmp_path / "token").write_text("0123456789abcdef")
    config = tmp_path / "prometheus.yml"
    config.write_text(config.read_text().replace("/run/secrets/http-token", str(tmp_path / "token")))
    assert "2 rule files found" in promtool("check", "config", config)


def test_alertmanager_understands_its_configuration():
    command = [binary("amtool"), "check-config", str(MONITORED / "alertmanager.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
