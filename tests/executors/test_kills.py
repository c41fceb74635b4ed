"""The script that kills workers and heads sees a number that differs, and no clock."""

from __future__ import annotations

from kills import comparable
from same_run import RUN, SUITE, the_run

TIMED = SUITE.replace("[modes, mmd]", "[modes, throughput]").replace("steps: 100", "steps: 20")


def test_clocks_are_left_out_of_the_comparison_and_nothing_else(tmp_path, gb, monkeypatch):
    """Two runs of one command, whose clocks differ; then a digit of a mode's share is another."""
    (tmp_path / "parts.yaml").write_text(TIMED)
    monkeypatch.chdir(tmp_path)
    assert gb(*RUN, "--out", "one")[0] == 0
    assert gb(*RUN, "--out", "two")[0] == 0
    one, two = the_run(tmp_path / "one"), the_run(tmp_path / "two")
    assert one.table.read_bytes() != two.table.read_bytes()
    assert comparable(one.path) == comparable(two.path)
    two.seeds.write_text(two.seeds.read_text().replace("0.", "0.1", 1))
    assert [name for name, text in comparable(two.path).items() if text != comparable(one.path)[name]] == ["seeds"]
