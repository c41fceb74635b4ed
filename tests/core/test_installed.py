"""Whose code it is: of an installation, whose version stands for it, or the user's, whose content is looked at."""

from __future__ import annotations

import json
import sys
import types

import numpy
import pytest

import ganbench
from ganbench.core.installed import file_of, foreign, installed, library
from ganbench.core.place import place


@pytest.mark.parametrize("module", [json, numpy, ganbench, pytest])
def test_python_packages_and_ganbench_are_installed(module):
    assert installed(module.__file__)
    assert foreign(module.__name__)


def test_a_users_file_and_what_has_no_file_are_not(tmp_path, monkeypatch):
    (tmp_path / "mine.py").touch()
    assert not installed(str(tmp_path / "mine.py"))
    assert not installed("")
    monkeypatch.setitem(sys.modules, "mine", types.ModuleType("mine"))
    assert file_of(sys.modules["mine"]) == ""
    assert not foreign("mine")


def test_a_link_is_where_it_leads_and_a_folder_of_packages_is_one_wherever_it_is(tmp_path):
    (tmp_path / "linked.py").symlink_to(numpy.__file__)
    assert installed(str(tmp_path / "linked.py"))
    assert installed(str(tmp_path / "env/lib/site-packages/x.py"))
    assert not installed(str(tmp_path / "my-site-packages/x.py"))


def test_a_library_is_one_wherever_it_was_built():
    """By its name: torch and numpy may lie in a checkout of theirs."""
    assert library("torch.nn")
    assert library("random")
    assert not library("torchx.nn")
    assert not library("ganbench_plugin_0123_mine")


def test_a_place_has_the_name_of_the_file_on_every_system():
    assert place("/home/me/plugins/mine.py", 12) == place(r"C:\Users\me\mine.py", 12) == "mine.py:12"
