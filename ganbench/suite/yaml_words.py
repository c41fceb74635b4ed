"""PyYAML's errors in a user's words, with what to change."""

from __future__ import annotations

import yaml

FRIENDLY = {
    "found character '\\t' that cannot start any token": "a tab cannot indent YAML: use spaces",
    "but found another document": "a suite is one document: remove the '---' between",
}
_VARIABLE = "variables are not replaced in a suite: write the value"
_BRACKET = "a comma or a bracket is missing, or a text with , : { } or # needs quotes"
#: After a problem of PyYAML's: what most often causes it.
_CURES = {
    "could not find expected ':'": "a key needs a colon and a space after it, as 'lr: 1e-3'",
    "mapping values are not allowed here": "a text with ': ' in it needs quotes; else look at the indentation",
    "found character '%' that cannot start any token": "quote the text",
    "found character '@' that cannot start any token": "quote the text",
    "found character '`' that cannot start any token": "quote the text",
    "sequence entries are not allowed here": "a list begins on a line of its own, or stands in [ ]",
}


class RefusedError(yaml.MarkedYAMLError):
    """Valid YAML, but not allowed in a suite."""

    def __init__(self, message: str, mark: yaml.Mark) -> None:
        super().__init__(problem=message, problem_mark=mark)


def words(error: yaml.MarkedYAMLError, text: str) -> str:
    """The message of an error.

    Args:
        error: PyYAML's error.
        text: the text that was read.
    """
    problem = str(error.problem)
    if isinstance(error, RefusedError) or problem in FRIENDLY:
        return FRIENDLY.get(problem, problem)
    start, end = error.context_mark, error.problem_mark
    at = end.index if end else 0
    if text[max(at - 1, 0) : at + 1] == "${" or text[at : at + 2] == "%(":
        return _VARIABLE
    cause = ", ".join(" ".join(part.split()) for part in (error.context, error.problem) if part)
    begun = f" (begun on line {start.line + 1})" if start and end and start.line != end.line else ""
    cure = _CURES.get(problem, _BRACKET if problem.startswith("expected ',' or ") else "")
    return f"not valid YAML: {cause}{begun}{f': {cure}' if cure else ''}"
