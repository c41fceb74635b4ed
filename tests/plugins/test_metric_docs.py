"""What every shipped metric says of itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[2] / "plugins" / "metrics").glob("*.py"))
LINES = ("Direction", "Unit", "Source", "Floor", "Cost")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_metric_names_its_direction_unit_source_floor_and_cost(file: Path) -> None:
    """Five lines at the end of the docstring, in this order; a line may go on in the next."""
    doc = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    assert tuple(re.findall(rf"^({'|'.join(LINES)}): \S", doc, re.MULTILINE)) == LINES
    assert doc.index("\n\nDirection: ") < doc.index("\nCost: ")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_first_line_alone_says_what_it_is(file: Path) -> None:
    """``ganbench list`` prints it."""
    doc = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    assert re.fullmatch(r"\S.{20,118}[.:]", doc.splitlines()[0])
