"""What `make security` makes of pip-audit's answers: a finding fails, silence is not taken for a clean answer."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
AUDIT = runpy.run_path(str(ROOT / ".ci" / "audit_deps.py"))
HOLE = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fix_versions": ["1.1"]}
CLEAN, HOLED = {"name": "a", "version": "1", "vulns": []}, {"name": "b", "version": "1.0", "vulns": [HOLE]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def verdict(*packages: dict[str, Any], **ignored: str) -> int | None:
    reasons = {name.replace("_", "-"): reason for name, reason in ignored.items()}
    code: int | None = AUDIT["verdict"]("pypi", {"dependencies": packages}, reasons)
    return code


def test_a_finding_fails_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(CLEAN, HOLED) == 1
    assert "b 1.0: PYSEC-2026-1, mended in 1.1" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["PYSEC_2026_1", "CVE_2026_1"])
def test_a_finding_may_be_ignored_by_any_of_its_names(name: str) -> None:
    assert verdict(CLEAN, HOLED, **{name: "not reached"}) == 0


def test_what_is_ignored_and_not_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(CLEAN, CVE_2020_1="gone") == 0
    assert "CVE-2020-1 is not found any more" in capsys.readouterr().err


def test_a_source_that_knows_nothing_is_no_clean_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(UNKNOWN, UNKNOWN) is None
    assert verdict(CLEAN, UNKNOWN) == 0
    assert "not known to pypi: c" in capsys.readouterr().out


def test_where_nobody_answers_it_says_so_and_does_not_fail(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setitem(AUDIT["main"].__globals__, "_asked", lambda source: None)
    assert AUDIT["main"]() == 0
    assert "NOT AUDITED" in capsys.readouterr().err
    monkeypatch.setitem(AUDIT["main"].__globals__, "_asked", lambda source: {"dependencies": [HOLED]})
    assert AUDIT["main"]() == 1


def test_everything_that_is_waved_through_has_a_reason() -> None:
    assert all(str(reason).strip() for reason in PYPROJECT["tool"]["audit-deps"]["ignore"].values())
    skips = (ROOT / "pyproject.toml").read_text().partition("[tool.bandit]")[2].partition("]\n")[0].splitlines()
    assert all("# " in line for line in skips if '"B' in line)
    lines = [line for folder in ("models", "streams") for file in (ROOT / folder).rglob("*.py")
             for line in file.read_text().splitlines() if "nosec" in line]  # fmt: skip
    assert lines
    assert all(line.partition("# nosec B")[2].partition("# ")[2] for line in lines), lines


def test_ci_asks_for_it() -> None:
    assert "\nmake security\n" in (ROOT / ".ci" / "run").read_text()


def test_the_list_of_parts_has_what_a_user_gets_and_none_of_our_tools() -> None:
    sbom = runpy.run_path(str(ROOT / ".ci" / "sbom.py"))
    names = {each.metadata["Name"].lower().replace("_", "-") for each in sbom["needed"]("hyperpod-state")}
    wanted = {re.split("[<>=;]", each)[0] for each in PYPROJECT["project"]["dependencies"]}
    assert wanted | {"hyperpod-state", "starlette", "yarl", "mode-streaming"} <= names
    assert not {"pytest", "mypy", "ruff", "bandit", "pip-audit", "hypothesis", "pip"} & names


def test_the_environment_that_is_listed_has_metadata_only(tmp_path: Path) -> None:
    sbom = runpy.run_path(str(ROOT / ".ci" / "sbom.py"))
    folder = sbom["shown"](list(sbom["needed"]("starlette")), tmp_path / "runtime")
    [site] = folder.glob("lib/python*/site-packages")
    assert {path.name.split("-")[0] for path in site.iterdir()} >= {"starlette", "anyio"}
    assert all(path.suffix in (".dist-info", ".egg-info") for path in site.iterdir())
