"""Draws and clocks that no seed decides are found, and nobody else's profiler, debugger or coverage is disturbed."""

from __future__ import annotations

import cProfile
import os
import pickle
import pstats
import random
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ganbench.core.unseeded import random_calls, seeded, unseeded_calls
from ganbench.plugin.entry import Broken
from ganbench.plugin.loader import load_file

HERE = frozenset({__name__})
LOSS = (
    "from ganbench import Loss, hookimpl\n"
    "def discriminator(d_real, d_fake):\n    return d_fake.mean() - d_real.mean()\n"
    "def generator(d_fake):\n    return -d_fake.mean()\n"
    "@hookimpl\ndef ganbench_losses():\n    yield Loss('mine', discriminator, generator)\n"
)


@pytest.mark.parametrize(
    "draw",
    [
        "import secrets\nx = secrets.token_bytes(4)",
        "import secrets\nx = secrets.choice([1, 2, 3])",
        "import uuid\nx = uuid.uuid4()",
        "import random\nx = random.SystemRandom().random()",
        "import numpy as np\nx = np.random.default_rng()",
        "from os import urandom\nx = urandom(4)",
        "import os\nx = os.urandom(4)",
    ],
)
def test_a_file_that_draws_without_a_seed_is_broken_at_its_line(tmp_path, draw):
    (broken,) = load_file(tmp_path / "mine.py", "folder", f"{draw}\n{LOSS}".encode())
    assert isinstance(broken, Broken)
    assert broken.cause.startswith("line 2: draws random numbers without a seed")


@pytest.mark.parametrize("made", ["np.random.RandomState(0)", "np.random.RandomState([1, 2])", "check_random_state(7)"])
def test_numpys_old_generator_with_a_seed_is_no_draw_without_one(tmp_path, made):
    """It is made at random, and seeded after that."""
    source = f"import numpy as np\nfrom sklearn.utils import check_random_state\nx = {made}\n{LOSS}".encode()
    (entry,) = load_file(tmp_path / "mine.py", "folder", source)
    assert entry.name == "mine"


@pytest.mark.parametrize("made", ["np.random.RandomState()", "np.random.RandomState(None)", "np.random.MT19937()"])
def test_numpys_old_generator_without_a_seed_is_one(tmp_path, made):
    source = f"import numpy as np\ny = np.random.RandomState(0)\nx = {made}\nz = np.random.RandomState(0)\n{LOSS}"
    (broken,) = load_file(tmp_path / "mine.py", "folder", source.encode())
    assert broken.cause.startswith("line 3: draws random numbers without a seed")


def test_numpys_old_generators_have_the_same_numbers_and_states_while_draws_are_watched():
    def drawn():
        np.random.seed([3, 4])
        own = np.random.RandomState(5)
        own.seed(6)
        copied = pickle.loads(pickle.dumps(own))
        return [np.random.rand(), own.rand(), copied.rand(), own.get_state()[0], str(own), np.random.get_state()[0]]

    wanted = drawn()
    with random_calls(HERE):
        assert drawn() == wanted
    assert drawn() == wanted


def test_no_profiler_runs_while_a_file_is_executed(tmp_path):
    """It would make its imports several times as slow."""
    source = "import sys\nassert sys.getprofile() is None\n" + LOSS
    (entry,) = load_file(tmp_path / "mine.py", "folder", source.encode())
    assert entry.name == "mine"


def test_what_was_there_is_there_again():
    before = os.urandom, random._urandom, sys.getprofile()
    with seeded("nobody"), unseeded_calls(HERE):
        assert os.urandom is not before[0]
    assert (os.urandom, random._urandom, sys.getprofile()) == before


def test_a_function_that_a_file_has_kept_is_still_watched():
    with random_calls(frozenset({"another"})):
        from os import urandom
    assert len(urandom(3)) == 3
    with unseeded_calls(HERE) as found:
        urandom(3)
    assert found == {"random": f"test_unseeded.py:{urandom_line()}"}


def urandom_line():
    """The line of the call in the test above."""
    lines = Path(__file__).read_text().splitlines()
    return 1 + max(at for at, line in enumerate(lines) if line == "        urandom(3)")


def test_a_profile_function_of_another_tool_goes_on():
    """As of coverage or a debugger: it sees what it would see, and is there afterwards."""
    seen = []

    def tool(frame, event, called):
        seen.append(called)

    sys.setprofile(tool)
    try:
        with unseeded_calls(HERE) as found:
            time.time()
        assert sys.getprofile() is tool
    finally:
        sys.setprofile(None)
    assert time.time in seen
    assert [*found] == ["clock"]


def test_pythons_own_profiler_goes_on():
    """Where it is one that cannot be put back, clocks are not looked for; draws are all the same."""
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        with unseeded_calls(HERE) as found:
            os.urandom(3)
        time.monotonic()
    finally:
        profiler.disable()
    assert "random" in found
    assert any("monotonic" in name for _, _, name in pstats.Stats(profiler).stats)
