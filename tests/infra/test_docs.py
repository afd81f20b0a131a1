"""The pages on deployment say what is so: commands run, figures are the programs', links lead somewhere."""

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tessera.prices import DEFAULT, Prices
from tests.infra.conftest import BICEP, ROOT, run

DOCS = ROOT / "docs"
PAGES = sorted(page.name for page in DOCS.glob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_each_page_begins_with_what_it_is_for(page: str) -> None:
    title, _, first = (DOCS / page).read_text().splitlines()[:3]
    assert title.startswith("# ")
    assert first.startswith("After this page you ")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", (DOCS / page).read_text()):
        path, _, anchor = link.partition("#")
        target = (DOCS / path) if path else DOCS / page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in headings}, (
                link
            )


@pytest.mark.parametrize("page", PAGES)
def test_python_programs_and_files_that_are_named_exist(page: str) -> None:
    text = (DOCS / page).read_text()
    for module in re.findall(r"python -m (benchmarks\.\w+)", text):
        assert (ROOT / (module.replace(".", "/") + ".py")).exists(), module
    for path in re.findall(r"`((?:scripts|infra|tests|\.github|orchestrations|tessera)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path


def test_every_variable_of_the_environment_is_explained() -> None:
    named = set(re.findall(r"readEnvironmentVariable\('(\w+)'", (BICEP / "main.bicepparam").read_text()))
    explained = set(re.findall(r"^\| `([A-Z_]+)` \|", (DOCS / "deploy.md").read_text(), re.MULTILINE))
    assert named <= explained


def test_alerts_of_the_runbook_are_those_that_are_made() -> None:
    made = re.findall(r"name: '([a-z-]+)'\n    title", (BICEP / "modules/alerts.bicep").read_text())
    told = re.findall(r"^\| `tessera-([a-z-]+)` \|", (DOCS / "operate.md").read_text(), re.MULTILINE)
    assert told == made


def test_prices_of_the_page_are_those_of_the_table() -> None:
    told = dict(re.findall(r"^\| .+ \| `(\w+)` \| ([\d.]+) \|", (DOCS / "cost.md").read_text(), re.MULTILINE))
    figures = {name for name, kind in Prices.__annotations__.items() if kind is float}
    assert {name: float(price) for name, price in told.items()} == {
        name: getattr(DEFAULT, name) for name in figures
    }
    assert f"Figures of {DEFAULT.date}, {DEFAULT.region}" in " ".join((DOCS / "cost.md").read_text().split())


def test_the_example_of_other_prices_runs() -> None:
    code = re.search(r"```python\n(.*?)```", (DOCS / "cost.md").read_text(), re.DOTALL)
    assert code is not None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code[1], {})
    assert float(printed.getvalue()) == pytest.approx(
        0.031 + 40 * 0.4e-6 + 200 * 5.5e-6 + 300 * 0.44e-6, abs=1e-4
    )


def test_the_table_of_the_simulation_is_what_it_prints() -> None:
    done = run(sys.executable, "-m", "benchmarks.scaling")
    assert done.returncode == 0, done.stderr
    assert f"```text\n{done.stdout.strip()}\n```" in (DOCS / "scaling.md").read_text()


def test_the_cost_program_runs() -> None:
    done = run(sys.executable, "-m", "benchmarks.job_cost", "--large", "1", "--photo", "0.1")
    assert done.returncode == 0, done.stderr
    assert "break-even with $2,000 a month" in done.stdout


def test_what_the_pages_call_is_there() -> None:
    commands = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    text = "".join((DOCS / page).read_text() for page in PAGES)
    targets = set(re.findall(r"`make (\w+)", text))
    assert targets
    assert [target for target in targets if f"make {target} " not in commands] == []
    hooks = set(re.findall(r"azd hooks run (\w+)", text + Path(ROOT / "infra/set_page_key.sh").read_text()))
    assert [hook for hook in hooks if f"  {hook}:" not in (ROOT / "azure.yaml").read_text()] == []
