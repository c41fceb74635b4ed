"""The JavaScript that draws the charts of a page: Vega Embed with Vega and Vega-Lite in it, as vl-convert has it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cache

_SNIPPET = "window.vegaEmbed = vegaEmbed;"


@cache
def library() -> str:
    """Vega Embed as one script of 0.9 MB that may stand in a page."""
    import vl_convert

    return inline(vl_convert.javascript_bundle(_SNIPPET))


def inline(script: str) -> str:
    """A script that does not end the element in which it stands, whatever texts are in it."""
    # Scripts have such texts in strings alone, and there this is the same character.
    return re.sub(r"<(?=/script|!--)", r"\\x3c", script, flags=re.IGNORECASE)


def policy(scripts: Iterable[str]) -> str:
    """What the page may do, as a browser enforces it: run these scripts, and ask nobody for anything."""
    digests = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in digests)
    # Vega compiles its expressions, which are those of this package and never texts of the user, to functions.
    drawing = f" script-src {allowed} 'unsafe-eval'; img-src data: blob:;" if allowed else ""
    return f"default-src 'none';{drawing} style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
