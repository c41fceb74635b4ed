"""Why a step fails or cannot be batched, where torch's error alone does not show the place in a plugin."""

from __future__ import annotations

from ganbench.core.errors import PluginError, message_of, plugin_frame
from ganbench.core.plain_words import plain_words
from ganbench.core.reasons import BACKWARD, CHECKPOINT, FREED, IN_PLACE_LATER, KIND
from ganbench.train.hidden_state import HiddenState
from ganbench.train.step.rules import Rules


def why_failed(error: Exception, watched: HiddenState) -> str:
    """Why a step fails, with its place also where the engine's own gradient has failed for what a loss did before."""
    if plugin_frame(error) is None and "a second time" in message_of(error):
        if place := watched.place("backward"):
            return BACKWARD.text("", "") + place
        return FREED.text("", "") + watched.place("grad")
    refuse_changed_in_place(error, watched)
    words = plain_words(error)
    # Its layers are called again in the engine's own gradient.
    again = plugin_frame(error) is None and CHECKPOINT.does in words
    return words + (watched.place("checkpoint") if again else "")


def why_serial(error: Exception, rules: Rules) -> str:
    """Why a step cannot be batched: the precision that the suite asks for is no mistake of a plugin's."""
    words = plain_words(error)
    if rules.generator.bfloat16 and plugin_frame(error) is None and KIND.does in words:
        return (
            "torch cannot batch the gradient of a layer in bfloat16, most often of a norm, and the suite has "
            "'precision: bfloat16': leave that out, or take layers without a norm"
        )
    return words


def refuse_changed_in_place(error: Exception, watched: HiddenState) -> None:
    """Raise PluginError where torch's tape has found a tensor that was changed too early.

    Only the tape looks for that: in a batch the step gives a wrong gradient, and no error.
    """
    if "modified by an inplace operation" in message_of(error):
        name, place = watched.in_place()
        raise PluginError(IN_PLACE_LATER.text(f".{name}()" if name else "", "") + place) from error


def why_drawn(whose: str, watched: HiddenState) -> str:
    """What a step does that draws from a library's global generator, which is no seed's own, and the cure."""
    if whose == "torch" and (place := watched.place("manual_seed")):
        return (
            f"sets torch's seed, so that each step and each seed draws the same numbers: leave manual_seed out{place}"
        )
    cure = "write random.uniform(n) or random.normal(n, 2) of the argument `random`, or torch.rand and torch.randn"
    place = watched.drawn(whose) if whose != "torch" else ""
    return f"draws from {whose}'s global random generator: {cure}{place}"
