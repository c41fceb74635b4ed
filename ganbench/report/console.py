"""The console that commands print to: nothing that is shown on it controls it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from ganbench.core.controls import without_controls


class SafeConsole(Console):
    """A console that writes control characters out, and raises BrokenPipeError where its reader has ended."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich renders, with each text made safe."""
        for segment in super().render(renderable, options):
            if segment.control is None and (text := without_controls(segment.text)) != segment.text:
                yield Segment(text, segment.style)
            else:
                yield segment

    def on_broken_pipe(self) -> None:
        """Rich would end the process here, with the exit code 1."""
        raise BrokenPipeError
