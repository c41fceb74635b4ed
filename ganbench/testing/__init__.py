"""The conformance kit: tests of what every plugin of a kind must do, whichever plugin it is.

In a test of your own: ``assert_conforms("plugins/my_gan.py")``. On the command line: ``ganbench check FILE``.
"""

from __future__ import annotations

from ganbench.testing.conformance import assert_conforms, check
from ganbench.testing.result import CheckResult

__all__ = ["CheckResult", "assert_conforms", "check"]
