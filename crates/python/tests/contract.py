"""The blocks of contract_examples.md."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).with_name("contract_examples.md")

_BLOCK = re.compile(r"^## (\d+)\. [^\n]*\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def block(number: int) -> str:
    """The text of a block. Lines in front of it are empty, so that a traceback names the page's own lines."""
    page = PAGE.read_text(encoding="utf-8")
    (found,) = (found for found in _BLOCK.finditer(page) if int(found[1]) == number)
    return "\n" * page.count("\n", 0, found.start(2)) + found[2]
