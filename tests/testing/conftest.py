"""What the tests of the conformance kit share."""

from __future__ import annotations

import pytest


@pytest.fixture
def only(monkeypatch):
    """Let the kit test these properties alone: ``only("direction")``; a name that there is not is an error."""
    from ganbench.testing import conformance as kit

    def keep(*names):
        whole = kit.of_kind

        def some(kind):
            kept = [each for each in whole(kind) if each.name in names]
            assert {each.name for each in kept} == set(names)
            return kept

        monkeypatch.setattr(kit, "of_kind", some)

    return keep
