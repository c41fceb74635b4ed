"""A run.json that something else has written, or changed, is one line that says so, and no error of Python's."""

from __future__ import annotations

import json

import pytest
from recorded import recorded

from ganbench.compare.sides.description import compared_run, describe_run


@pytest.mark.parametrize("value", [None, 5, {}, [5]])
def test_any_part_may_be_anything(tmp_path, value):
    folder = recorded(tmp_path)
    path = folder.path / "run.json"
    whole = json.loads(path.read_text())
    parts = [(key,) for key in whole] + [("columns", 0, key) for key in whole["columns"][0]]
    parts += [("cells", 0, key) for key in whole["cells"][0]]
    wrong = []
    for part in parts:
        changed = json.loads(json.dumps(whole))
        inner = changed
        for key in part[:-1]:
            inner = inner[key]
        inner[part[-1]] = value
        for content in (changed, {key: one for key, one in changed.items() if key != part[0]}):
            path.write_text(json.dumps(content))
            try:
                compared_run(*describe_run(folder), "base")
            except ValueError as error:
                wrong += [f"{part}: {error}"] if "\n" in str(error) else []
            except Exception as error:
                wrong.append(f"{part}: {error!r}")
    assert not wrong
