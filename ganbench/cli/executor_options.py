"""Options that an executor has by its own name: ``--executor slurm --slurm timeout_min=60``, any number of times."""

from __future__ import annotations

from typing import Any

import click

from ganbench.cli.options import UserMistakeError


class ExecutorCommand(click.Command):
    """A command with ``--executor NAME``, whose value is the name and what ``--NAME KEY=VALUE`` sets."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what is the executor's out of the arguments; the rest is as of any command."""
        name = _value(args, "--executor")
        rest, given = _taken(args, f"--{name}") if name else (args, {})
        left = super().parse_args(ctx, rest)
        if name:
            ctx.params["executor"] = (name, given)
        return left


def _value(args: list[str], option: str) -> str:
    """What the last of an option's values is; empty where it is not given."""
    found = [value for word, value in zip(args, [*args[1:], ""], strict=False) if word == option]
    found += [word.partition("=")[2] for word in args if word.startswith(f"{option}=")]
    return found[-1] if found else ""


def _taken(args: list[str], option: str) -> tuple[list[str], dict[str, Any]]:
    """The arguments without an option, and its KEY=VALUE; a value is read as YAML. Raises UserMistakeError."""
    import yaml

    rest: list[str] = []
    given: dict[str, Any] = {}
    words = iter(args)
    for word in words:
        if word != option and not word.startswith(f"{option}="):
            rest.append(word)
            continue
        text = next(words, "") if word == option else word.partition("=")[2]
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UserMistakeError(f"{option} {text}: write {option} KEY=VALUE")
        try:
            given[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            given[key] = value
    return rest, given
