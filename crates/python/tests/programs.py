"""Programs of their own: for what happens at the end of one, and for tests of tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run_python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a script."""
    return _run("-c", script, *arguments)


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the tests in a folder: without the settings of these tests, and of all plugins with this package's alone."""
    others = [f"-pno:{plugin}" for plugin in ("asyncio", "cacheprovider", "hypothesispytest", "timeout")]
    return _run("-m", "pytest", *others, "-W", "error", "--rootdir", str(folder), *arguments, str(folder))


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
