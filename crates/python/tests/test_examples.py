"""Every example runs, on NameServers of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


def test_there_is_one_for_each_use() -> None:
    uses = [
        "batch",
        "cluster_overview",
        "consumer_routing",
        "embedded_server_test",
        "failover",
        "manager",
        "producer_routing",
        "watch",
    ]
    assert [example.stem for example in EXAMPLES] == uses


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_example_runs(example: Path) -> None:
    run = subprocess.run([sys.executable, example], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout
    assert not run.stderr
