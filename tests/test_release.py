"""What a release is made of: a lock that agrees, a changelog in its form, a wheel with everything and nothing else."""

from __future__ import annotations

import json
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from streams.version import about, installed

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = runpy.run_path(str(ROOT / ".ci" / "lock.py"))
LOG = runpy.run_path(str(ROOT / ".ci" / "changelog.py"))
CHECK = runpy.run_path(str(ROOT / ".ci" / "release_check.py"))
PYTHONS = runpy.run_path(str(ROOT / ".ci" / "pythons.py"))
LOCKED = """\
# Made by make lock
attrs==26.1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via thing
thing==1.2 ; python_full_version < '3.13' \\
    --hash=sha256:cc
    # via hyperpod-state (pyproject.toml)
"""
EMPTY = "# Changelog\n\n## Unreleased\n\n"
FIRST = "## 0.1.0 - 2026-12-01\n\n### Added\n\n- Everything.\n"


class TestLock:
    def test_an_entry_is_a_version_its_hashes_and_who_wants_it(self) -> None:
        attrs, thing = LOCK["pins"](LOCKED)
        assert (attrs.name, attrs.version, attrs.hashes) == ("attrs", "26.1.0", ("sha256:aa", "sha256:bb"))
        assert (thing.version, thing.wanted_by) == ("1.2", ("hyperpod-state (pyproject.toml)",))

    def test_a_lock_that_agrees_has_no_faults(self) -> None:
        assert LOCK["faults"](LOCKED, ["thing>=1,<2"]) == []

    @pytest.mark.parametrize(
        ("wishes", "said"),
        [
            (["thing>=2"], "thing 1.2 is not >=2"),
            (["thing>=1", "other"], "other is asked for and not locked"),
            ([], "thing is locked as ours and not asked for any more"),
        ],
    )
    def test_what_does_not_agree_is_named(self, wishes: list[str], said: str) -> None:
        assert LOCK["faults"](LOCKED, wishes) == [said]

    def test_an_entry_without_a_hash_is_named(self) -> None:
        bare = LOCKED.replace(" \\\n    --hash=sha256:cc", "")
        assert LOCK["faults"](bare, ["thing"]) == ["thing has no hash"]

    def test_the_lock_that_is_committed_agrees(self) -> None:
        text = (ROOT / "requirements.lock").read_text()
        assert LOCK["faults"](text, PYPROJECT["project"]["dependencies"]) == []
        assert "://" not in text

    def test_the_builder_is_the_same_everywhere(self) -> None:
        [builder] = PYPROJECT["build-system"]["requires"]
        assert builder in PYPROJECT["project"]["optional-dependencies"]["dev"]
        assert "==" in builder


class TestChangelog:
    def test_the_committed_one_is_in_its_form(self) -> None:
        assert LOG["faults"]((ROOT / "CHANGELOG.md").read_text(), PYPROJECT["project"]["version"]) == []

    @pytest.mark.parametrize(
        ("log", "said"),
        [
            ("# Changelog\n\n" + FIRST, "the first section is not “## Unreleased”"),
            (EMPTY + "- A change.\n", "Unreleased: a change stands under none of Added"),
            (EMPTY + "### News\n\n- A change.\n", "Unreleased: “### News” is none of Added"),
            (EMPTY + "### Added\n\n- A.\n\n### Added\n\n- B.\n", "Unreleased: “### Added” stands there twice"),
            (EMPTY + FIRST.replace("2026-12-01", "soon"), "“## 0.1.0 - soon” is not"),
            (EMPTY + FIRST + FIRST.replace("0.1.0", "0.2.0"), "the newest version does not stand first"),
            (EMPTY + "### Fixed\n\n- A.\n\n" + FIRST, "there are changes since 0.1.0"),
        ],
    )
    def test_what_is_wrong_is_said(self, log: str, said: str) -> None:
        [found] = LOG["faults"](log, "0.1.0")
        assert found.startswith(said)

    def test_what_is_unreleased_becomes_the_version(self) -> None:
        before = EMPTY + "### Added\n\n- A change.\n\n" + FIRST
        after = LOG["released"](before, "0.2.0", "2027-01-31")
        assert [each.title for each in LOG["sections"](after)][:2] == ["Unreleased", "0.2.0 - 2027-01-31"]
        assert "A change." in LOG["sections"](after)[1].text
        assert LOG["faults"](after, "0.2.0", releasing=True) == []

    def test_a_version_without_a_section_is_not_released(self) -> None:
        log = EMPTY + "### Added\n\n- A change.\n\n" + FIRST
        assert LOG["faults"](log, "0.2.0") == []
        [said] = LOG["faults"](log, "0.2.0", releasing=True)
        assert said.endswith("python .ci/changelog.py release 0.2.0")

    def test_a_version_below_the_last_one_is_refused(self) -> None:
        assert LOG["faults"](EMPTY + FIRST, "0.0.9") == ["pyproject.toml says 0.0.9, and 0.1.0 was released already"]

    def test_every_copy_of_the_version_goes_along(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Else the chart of a release asks for the image of the one before."""
        for name in ("CHANGELOG.md", "pyproject.toml", *map(str, LOG["COPIES"])):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text((ROOT / name).read_text())
        monkeypatch.chdir(tmp_path)
        assert LOG["strays"](PYPROJECT["project"]["version"]) == []
        assert LOG["release"]("7.8.9") == []
        assert LOG["strays"]("7.8.9") == []
        chart = (tmp_path / "deploy/helm/hyperpod-state/Chart.yaml").read_text()
        assert '\nversion: 7.8.9\nappVersion: "7.8.9"\n' in chart
        assert "apiVersion: v2\n" in chart
        assert "docker push registry.example.com/hyperpod-state:7.8.9\n" in Path("docs/kubernetes.md").read_text()

    def test_a_copy_that_says_another_version_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(ROOT)
        assert [said.partition(" says ")[0] for said in LOG["strays"]("7.8.9")] == [str(path) for path in LOG["COPIES"]]


class TestContents:
    FILES = ("models/a.py", "streams/b.py", "LICENSE", "secrets.env")
    NAMES = ("models/a.py", "streams/b.py", "p-1.dist-info/METADATA", "p-1.dist-info/licenses/LICENSE")

    def faults(self, *names: str) -> list[str]:
        return [said for said in CHECK["wheel_faults"](names, self.FILES) if "…/" not in said]

    def test_a_wheel_of_the_repository_alone_is_right(self) -> None:
        assert self.faults(*self.NAMES) == []

    def test_what_is_missing_and_what_does_not_belong_is_named(self) -> None:
        assert self.faults(*self.NAMES[1:]) == ["the wheel lacks models/a.py"]
        assert self.faults(*self.NAMES, "models/a.orig") == [
            "the wheel has models/a.orig, which is not in the repository"
        ]
        assert self.faults(*self.NAMES, "p-1.dist-info/x") == ["the wheel has p-1.dist-info/x, which nobody asked for"]

    def test_what_users_are_promised_is_looked_for(self) -> None:
        said = list(CHECK["wheel_faults"](self.NAMES, self.FILES))
        assert "the wheel lacks …/models/py.typed" in said
        assert "the wheel lacks …/streams/web/static/index.html" in said

    def test_whose_work_the_dashboard_contains_is_said(self) -> None:
        packages = json.loads((ROOT / "dashboard" / "package-lock.json").read_text())["packages"]
        inside = {
            name.removeprefix("node_modules/"): each for name, each in packages.items() if name and not each.get("dev")
        }
        notice = (ROOT / "THIRD-PARTY.txt").read_text()
        assert inside.keys() >= {"preact", "@preact/signals", "@preact/signals-core"}
        assert all(f"\n{name}\n" in notice for name in inside)
        assert {each["license"] for each in inside.values()} == {"MIT"}
        assert PYPROJECT["project"]["license"] == "Apache-2.0 AND MIT"

    def test_an_image_is_given_all_that_the_wheel_is_built_from(self) -> None:
        given = (ROOT / ".dockerignore").read_text().splitlines()
        wanted = {"pyproject.toml", "README.md", *PYPROJECT["project"]["license-files"]}
        wheel = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
        assert wanted | {*wheel["packages"], *wheel["shared-data"]} <= {line.removeprefix("!") for line in given}


class TestVersion:
    def test_it_stands_in_one_place(self) -> None:
        assert installed() == PYPROJECT["project"]["version"]
        assert installed("no-such-package") is None

    def test_it_is_told_with_what_matters_for_an_upgrade(self) -> None:
        told = dict(about())
        assert next(iter(told)) == "hyperpod-state"
        assert told["records"] == "schema_version 1"
        assert told["rows"].startswith("version ")

    def test_supported_pythons_are_the_classifiers_and_begin_with_what_pip_wants(self) -> None:
        known = PYTHONS["supported"]()
        assert known == ["3.11", "3.12", "3.13"]
        assert PYPROJECT["project"]["requires-python"] == f">={known[0]}"
        assert PYPROJECT["tool"]["mypy"]["python_version"] == known[0]
        assert PYPROJECT["tool"]["ruff"]["target-version"] == "py" + known[0].replace(".", "")
