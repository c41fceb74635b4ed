"""Which files a run depends on, of those that a plugin's source names: what it reads, and not what it writes itself."""

from __future__ import annotations

import ast
import hashlib

import pytest

from ganbench.plugin.named_files import named_files

HEAD = "import json, pickle, torch\nimport numpy as np\nfrom pathlib import Path\nHERE = Path(__file__).parent\n"


@pytest.fixture
def named(tmp_path, monkeypatch):
    """The names of the files that a plugin with this source depends on; raw.npy and own.npy are there."""
    monkeypatch.chdir(tmp_path)
    for name in ("raw.npy", "own.npy"):
        (tmp_path / name).write_text(name)

    def build(source):
        return sorted(named_files(ast.parse(HEAD + source), tmp_path / "mine.py"))

    return build


@pytest.mark.parametrize(
    "source",
    [
        "np.save('own.npy', np.load('raw.npy'))",
        "np.save(HERE / 'own.npy', np.load(HERE / 'raw.npy'))",
        "CACHE = HERE / 'own.npy'\nDATA = np.load('raw.npy')\nif not CACHE.exists():\n    np.save(CACHE, DATA)\n",
        "class D:\n  def f(self):\n    self.f = Path('own.npy')\n    self.f.write_text(open('raw.npy').read())",
        "torch.save(torch.load('raw.npy'), 'own.npy')",
        "with open('own.npy', 'wb') as file:\n    pickle.dump(pickle.load(open('raw.npy', 'rb')), file)",
        "with (HERE / 'own.npy').open(mode='a') as file:\n    file.write(open('raw.npy').read())",
        "json.dump(json.load(open('raw.npy')), open('own.npy', 'w'))",
        "import gzip\ngzip.open('own.npy', 'wb').write(gzip.open('raw.npy').read())",
        "if (own := Path('own.npy')).exists():\n    x = np.load(own)\nelse:\n    np.savez(own, x=np.load('raw.npy'))",
    ],
)
def test_what_a_plugin_writes_itself_is_nothing_that_it_depends_on(named, source):
    """Else the same command would begin anew, since the file has changed, or is there now."""
    assert named(source) == ["raw.npy"]


@pytest.mark.parametrize(
    "source",
    [
        "a, b = np.load('raw.npy'), np.load(HERE / 'own.npy')",
        "FILES = ['raw.npy', 'own.npy']\nfor file in FILES:\n    np.load(file)",
        "open('raw.npy', 'r'), (HERE / 'own.npy').open()",
        "np.save('other.npy', np.concatenate([np.load('raw.npy'), np.load('own.npy')]))",
    ],
)
def test_what_a_plugin_reads_is(named, source):
    assert named(source) == ["own.npy", "raw.npy"]


def test_each_is_known_by_its_content(named, tmp_path):
    tree = ast.parse("np.load('raw.npy')")
    assert named_files(tree, tmp_path / "mine.py") == {"raw.npy": hashlib.sha256(b"raw.npy").hexdigest()}
