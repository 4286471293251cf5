"""The fixtures as another project has them: pytest runs in a folder with nothing but a test in it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .programs import run_pytest, run_python

README = Path(__file__).parent.parent / "README.md"

TESTS = """
import pytest

servers = []

def test_one(nameserver, nameserver_client):
    nameserver.register("cluster-1", "broker-a", "10.0.0.1:10911", topics={"orders": 8})
    assert nameserver_client.get_all_topic_list() == ["orders"]
    servers.append(nameserver)

def test_two(nameserver, nameserver_client):
    assert nameserver_client.get_all_topic_list() == []
    assert nameserver is not servers[0]
    assert "stopped" in repr(servers[0])
"""

OWN_SERVER = """
import pytest
from pyrocketmq.nameserver import EmbeddedNameServer

@pytest.fixture
def nameserver():
    with EmbeddedNameServer(personality=4) as server:
        yield server

def test_the_client_asks_it(nameserver_client):
    nameserver_client.get_broker_cluster_info()
    assert nameserver_client.stats()[0].version == "V4_9_7"
"""


def outcome(folder: Path, tests: str, *arguments: str) -> str:
    """What pytest says in its last line, without the time that it took."""
    (folder / "test_it.py").write_text(tests)
    ran = run_pytest(folder, *arguments)
    (last,) = ran.stdout.splitlines()[-1:]
    found = re.search(r"\d+ \w+.*(?= in )", last)
    assert found, ran.stdout + ran.stderr
    return found[0]


def test_each_test_has_a_server_of_its_own(tmp_path: Path) -> None:
    assert outcome(tmp_path, TESTS) == "2 passed"


def test_the_example_of_the_readme_passes(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(def test_.*?)```", README.read_text(), re.DOTALL)
    assert outcome(tmp_path, example) == "1 passed"


def test_a_project_may_start_the_server_itself(tmp_path: Path) -> None:
    assert outcome(tmp_path, OWN_SERVER) == "1 passed"


def test_a_test_that_fails_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    fails = TESTS + "\ndef test_three(nameserver_client):\n    nameserver_client.query_topic_route_info('nope')\n"
    assert outcome(tmp_path, fails) == "1 failed, 2 passed"


def test_the_fixtures_are_listed_and_can_be_left_out(tmp_path: Path) -> None:
    listed = run_pytest(tmp_path, "--fixtures").stdout
    assert "fixtures defined from pyrocketmq.nameserver.pytest_plugin" in listed
    assert re.search(r"^nameserver .*\n +A NameServer", listed, re.MULTILINE)
    assert outcome(tmp_path, TESTS, "-p", "no:pyrocketmq_nameserver") == "2 errors"


def test_runs_beside_each_other_do_not_meet(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(4)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(outcome, folders, [TESTS] * 4)) == ["2 passed"] * 4


def test_the_package_does_not_need_pytest() -> None:
    script = """
import sys
sys.modules["pytest"] = None
import pyrocketmq.nameserver
print([name for name in sys.modules if "pytest" in name or "doctest" in name])
"""
    ended = run_python(script)
    assert (ended.stdout, ended.stderr) == ("['pytest']\n", "")
