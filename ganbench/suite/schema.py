"""The shape of a suite file, from which ``suites/suite.schema.json`` is generated.

The command is ``python -m ganbench.suite.schema > suites/suite.schema.json``. The shape does not know which plugins and
parameters there are: the registry does.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from ganbench.core.expectation import Expectation
from ganbench.core.messages import shown
from ganbench.core.names import lost_in_tables, lost_on_windows
from ganbench.plugin.shipped import chosen
from ganbench.suite.average import Decay, Width

_CHOSEN = chosen()
#: The reference that stands in every table: the data itself.
FLOOR = _CHOSEN.floor
_PATTERN = "[A-Za-z0-9][A-Za-z0-9._+-]*"
_NAME = "a name of letters, digits and . _ + - (a letter or digit first)"


def _name(text: str) -> str:
    if len(text) > 100:
        raise ValueError(f"{shown(text)} is longer than 100 characters")
    if not re.fullmatch(_PATTERN, text):
        # Only spaces: of what else is left out the rest may name something else.
        name = re.sub(r"\s+", "-", text.strip())
        cure = f": write {name}" if re.fullmatch(_PATTERN, name) else ""
        raise ValueError(f"{shown(text)} is not {_NAME}{cure}")
    if message := lost_in_tables(text) or lost_on_windows(text):
        raise ValueError(message)
    return text


def _not_floor(name: str) -> str:
    if name == FLOOR:
        raise ValueError(f"{FLOOR!r} is the name of the data's own row in every table: choose another")
    return name


def _shape_of(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return "<mapping>"
    return {str: "<name>", dict: "<mapping>", int: "<count>", list: "<list>"}.get(type(value))


Name = Annotated[str, AfterValidator(_name), Field(description=_NAME, json_schema_extra={"pattern": f"^{_PATTERN}$"})]
VariantName = Annotated[Name, AfterValidator(_not_floor), Field(json_schema_extra={"not": {"const": FLOOR}})]
Count = Annotated[int, Field(ge=1)]
SeedCount = Annotated[int, Field(ge=1, le=100_000)]
Seed = Annotated[int, Field(ge=0)]
Seeds = Annotated[
    Annotated[SeedCount, Tag("<count>")]
    | Annotated[
        list[Seed], Field(min_length=1, max_length=100_000, json_schema_extra={"uniqueItems": True}), Tag("<list>")
    ],
    Discriminator(_shape_of),
    Field(description="the number of seeds (1 to 100000), or a list of them (each at least 0)"),
]


def _named(what: str, least: int = 1) -> Any:
    # Pydantic writes only the pattern of names that are allowed; the published schema must also refuse all others.
    description = f"a mapping of names to {what}" + (", at least one" if least else ", or {} for none")
    return Field(
        min_length=least, max_length=1000, description=description, json_schema_extra={"additionalProperties": False}
    )


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ChoiceMapping(BaseModel):
    """A plugin's name with its parameters, or parameters to lay over the default's."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: Annotated[str | None, Field(description="a plugin's name")] = None


Choice = Annotated[
    Annotated[str, Tag("<name>")] | Annotated[ChoiceMapping, Tag("<mapping>")],
    Discriminator(_shape_of),
    Field(description="a plugin's name, or a mapping of its name and parameters"),
]


class ScheduledMapping(ChoiceMapping):
    """An optimizer or a penalty with its parameters, and the schedule of one of them."""

    schedule: Choice | None = None


ScheduledChoice = Annotated[
    Annotated[str, Tag("<name>")] | Annotated[ScheduledMapping, Tag("<mapping>")],
    Discriminator(_shape_of),
    Field(description="a plugin's name, or a mapping of its name and parameters"),
]


class OptimizerMapping(ScheduledMapping):
    """An optimizer with its parameters, and what is different for one of the players."""

    generator: ScheduledChoice | None = None
    discriminator: ScheduledChoice | None = None


OptimizerChoice = Annotated[
    Annotated[str, Tag("<name>")] | Annotated[OptimizerMapping, Tag("<mapping>")],
    Discriminator(_shape_of),
    Field(description="a plugin's name, or a mapping of its name and parameters"),
]


class Budget(_Strict):
    """How long each replica trains: generator steps, samples a batch, and the minutes that a cell may take."""

    steps: Count = 10_000
    batch: Count = 256
    minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class Evaluate(_Strict):
    """When and on how many samples to measure; ``every`` is a tenth of the steps unless given."""

    every: Count | None = None
    samples: Count = 10_000


_SWEPT = (
    r"^(loss|architecture|update|average|(penalty\.[^.]+|optimizer(\.(generator|discriminator))?)(\.schedule)?)\.[^.]+$"
)
Sweep = Annotated[
    dict[Annotated[str, Field(json_schema_extra={"pattern": _SWEPT})], Annotated[list[Any], Field(min_length=1)]],
    Field(
        description="a mapping of parameters, such as optimizer.lr, to lists of values",
        json_schema_extra={"additionalProperties": False},
    ),
]


Guard = Annotated[
    dict[
        str,
        Annotated[
            Annotated[float, Field(ge=0)] | Literal[False],
            Field(description="a number of at least 0, or false, which leaves it out"),
        ],
    ],
    Field(description="a mapping of measures, such as jsd, to the smallest change that matters"),
]


Expect = Annotated[
    Annotated[Expectation, Tag("<name>")] | Annotated[dict[Name, Expectation], Field(min_length=1), Tag("<mapping>")],
    Discriminator(_shape_of),
    Field(description="fails or converges, or a mapping of data sets to one of these"),
]


Penalties = Annotated[
    Annotated[str, Tag("<name>")]
    | Annotated[ScheduledMapping, Tag("<mapping>")]
    | Annotated[list[ScheduledChoice], Tag("<list>")],
    Discriminator(_shape_of),
    Field(description="a penalty's name, a mapping of its name and parameters, or a list of such"),
]


class AverageMapping(_Strict):
    """A running average: exponential, by its decay, or by a width that grows with the steps made; one of the two."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    decay: Decay = None  # type: ignore[assignment]
    width: Width = None  # type: ignore[assignment]

    @model_validator(mode="after")
    def _one(self) -> AverageMapping:
        if len(self.model_fields_set) != 1:
            raise ValueError("needs a decay or a width, one of the two, as {width: 0.05}")
        return self


Average = Annotated[
    Annotated[Decay, Tag("<number>")] | Annotated[AverageMapping, Tag("<mapping>")],
    Discriminator(lambda value: "<mapping>" if _shape_of(value) == "<mapping>" else "<number>"),
    Field(description="a number above 0 and below 1, or a mapping of a width, as {width: 0.05}"),
]


class Parts(_Strict):
    """The parts of a variant; what is not given comes from the defaults. Null is none, where there may be none."""

    loss: Choice | None = None
    architecture: Choice | None = None
    update: Choice | None = None
    optimizer: OptimizerChoice | None = None
    penalty: Penalties | None = None
    average: Average | None = None

    @field_validator("loss", "architecture", "update", "optimizer", "guard", mode="before", check_fields=False)
    @classmethod
    def _not_null(cls, given: Any) -> Any:
        if given is None:
            raise ValueError("must not be null, which might mean none: leave the key out for the default")
        return given


class VariantSchema(Parts):
    """One way to train, with a sweep and a guard of its own where the suite's do not fit, and how it is to end."""

    sweep: Sweep | None = None
    guard: Guard | None = None
    expect: Expect | None = None


class Defaults(Parts):
    """What every variant shares unless it says otherwise."""

    architecture: Choice | None = _CHOSEN.parts["architecture"]
    update: Choice | None = _CHOSEN.parts["update"]
    optimizer: OptimizerChoice | None = OptimizerMapping.model_validate(_CHOSEN.parts["optimizer"])


class PublishedRowSchema(_Strict):
    """A number that a paper gives: of which row and column, its spread (se or sd), and of how many trials it is."""

    dataset: str
    variant: str
    column: str
    value: float
    se: Annotated[float | None, Field(ge=0)] = None
    sd: Annotated[float | None, Field(ge=0)] = None
    trials: Annotated[int | None, Field(ge=1)] = None
    decimals: Annotated[int | None, Field(ge=0, le=400)] = None
    called: str = ""
    unlike: str = ""


class PublishedSchema(_Strict):
    """What a paper has published of the suite's rows, and where it was read."""

    source: Annotated[str, Field(min_length=1)]
    rows: Annotated[list[PublishedRowSchema], Field(min_length=1, max_length=1000)]


class SuiteSchema(_Strict):
    """A suite: datasets times variants times seeds, trained for one budget and measured by the same metrics."""

    suite: Name
    description: str | None = None
    seeds: Seeds = 16
    budget: Budget = Budget()
    precision: Literal["float32", "tf32", "bfloat16"] = "float32"
    evaluate: Evaluate = Evaluate()
    datasets: Annotated[dict[Name, Choice], _named("datasets")]
    relative_to: Annotated[str | None, Field(description="the folder where relative paths of data begin")] = None
    references: Annotated[list[Choice], Field(description="a list of references")] = [*_CHOSEN.references]
    defaults: Defaults = Defaults()
    # None: a suite of references alone, whose faults are known, measures the measures.
    variants: Annotated[dict[VariantName, VariantSchema], _named("variants", least=0)]
    sweep: Sweep | None = None
    guard: Guard | None = None
    metrics: Annotated[list[Choice], Field(min_length=1, description="a list of metrics, at least one")] = [
        *_CHOSEN.metrics
    ]
    pictures: bool = True
    observers: Annotated[list[Choice], Field(description="a list of observers")] = []
    published: PublishedSchema | None = None


#: The default parts of a variant, as a file would write them.
BUILT_IN: dict[str, Any] = Defaults().model_dump(exclude_none=True)


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of suite files, draft 2020-12."""
    generated = SuiteSchema.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **generated, "title": "ganbench suite"}


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
