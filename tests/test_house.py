"""The house: which rooms there are, that imports run downwards only, that the core knows no plugin by name."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ganbench"
#: The floors, the lowest first. A room imports from lower floors only: never from its own floor, never from above.
FLOORS = (
    {"core", "stats"},
    {"plugin", "data"},
    {"suite", "nn"},
    {"train", "metrics"},
    {"record", "testing"},
    {"run", "compare"},
    {"score"},
    {"report"},
    {"cli"},
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
#: The doors of the package itself: they lead into any room, and no room leads back to them but for the version.
ROOT = {"__init__", "__main__", "pytest_plugin"}
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def module(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for path in TREES}


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules of the package that a tree imports anywhere: in functions and for type checkers too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module in MODULES:
            inner = [f"{node.module}.{name.name}" for name in node.names]
            yield from (name if name in MODULES else str(node.module) for name in inner)


ARROWS = {name: set(imported(TREES[path])) - {name} for name, path in MODULES.items()}


def room(name: str) -> str:
    return name.split(".")[1] if "." in name else "__init__"


def test_the_root_of_the_package_holds_its_doors_and_nothing_else():
    assert {path.stem for path in PACKAGE.glob("*.py")} == ROOT
    assert {room(name) for name in MODULES} == set(FLOOR_OF) | ROOT


@pytest.mark.parametrize("name", sorted(FLOOR_OF))
def test_a_room_imports_from_lower_floors_only(name):
    own = {one for one in MODULES if room(one) == name}
    others = {(one, other) for one in own for other in ARROWS[one] if room(other) in FLOOR_OF and room(other) != name}
    assert not [f"{one} -> {other}" for one, other in others if FLOOR_OF[room(other)] >= FLOOR_OF[name]]


def test_no_modules_import_each_other_in_a_circle():
    try:
        TopologicalSorter(ARROWS).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_every_import_is_absolute():
    """So that the tests above see them all."""
    relative = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative


# One word for one thing.


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for name, path in MODULES.items():
        yield from ((name, node) for node in ast.walk(TREES[path]) if isinstance(node, ast.ClassDef))


def test_no_two_classes_share_a_name():
    homes: dict[str, list[str]] = {}
    for name, node in classes():
        homes.setdefault(node.name, []).append(f"{name}:{node.lineno}")
    assert not {name: places for name, places in homes.items() if len(places) > 1}


def test_exceptions_end_in_error():
    bases = {node.name: [ast.unparse(base).rpartition(".")[2] for base in node.bases] for _, node in classes()}

    def is_exception(name: str) -> bool:
        known = getattr(builtins, name, None)
        if isinstance(known, type):
            return issubclass(known, BaseException)
        return name == "ClickException" or any(map(is_exception, bases.get(name, ())))

    assert not [name for name in bases if is_exception(name) and not name.endswith("Error")]


# The core knows no plugin by name.

#: Words of the package that are names of shipped plugins or their columns by accident, with what they mean there.
OWN_WORDS = {
    "cost": "what a metric may name: the cell's cost",
    "classes": "what an architecture may name: how many the data have",
    "d_fake": "what a loss may name: D's logits of generated samples",
    "d_real": "what a loss may name: D's logits of data",
    "density": "how a divergence was estimated",
    "discriminator": "a player",
    "grid": "the lines behind a chart",
    "images": "arrays of pictures, or of a file, by their name",
    "kl": "an f-divergence, as its paper names it",
    "modes": "a property that the kit tests of a dataset",
    "points": "arrays of pictures, by their name",
    "parameters": "a key of a plugin's description, and of a command's options",
    "precision": "a key of a suite: that of the arithmetic",
    "shape": "what a function may name: that of one sample",
    "step": "what a loss may name: the number of the generator step",
    "throughput": "a measure that Bencher knows",
    "warmup": "a key of pytest-benchmark's files",
}


def documentation(tree: ast.AST) -> set[ast.AST]:
    """The docstrings of a tree, which may name examples."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, owners)]
    return {body[0].value for body in bodies if body and isinstance(body[0], ast.Expr)}


def test_the_package_names_no_shipped_plugin(shipped):
    """What it needs of them they say themselves (a column its role), or plugins/defaults.yaml does."""
    entries = [entry for entry in shipped.entries if entry.origin == "shipped"]
    columns = [column for entry in entries if entry.kind == "metric" for column in entry.value.columns]
    names = {entry.name for entry in entries}.union(*(column.fills + column.of_seed for column in columns))
    assert {"jsd", "jsd_low", "oracle", "held_all_modes_step"} < names
    said = [
        (node.value, f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.value}")
        for path, tree in TREES.items()
        for node in {*ast.walk(tree)} - documentation(tree)
        if path.name != "citation.py" and isinstance(node, ast.Constant) and node.value in names
    ]
    assert not [place for word, place in said if word not in OWN_WORDS]
    assert {word for word, _ in said} == {*OWN_WORDS}, "an exception that is none any more"


# Text that anyone can read.


def functions(node: ast.AST) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """The public functions of a module, and the public methods of its public classes; whether each is a method."""
    for one in ast.iter_child_nodes(node):
        if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
            yield from functions(one)
        elif isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and not one.name.startswith("_"):
            yield one, isinstance(node, ast.ClassDef)


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, method: bool) -> list[str]:
    """The names of a function's parameters, without self or cls."""
    given = node.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    if method and "staticmethod" not in map(ast.unparse, node.decorator_list):
        named = named[1:]
    return [one.arg for one in (*named, given.vararg, given.kwarg) if one is not None]


def is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether click calls the function: its docstring is the text of --help."""
    called = [ast.unparse(one.func if isinstance(one, ast.Call) else one) for one in node.decorator_list]
    return any(name.rpartition(".")[2] in ("command", "group") for name in called)


def sections(docstring: str) -> dict[str, str]:
    """The sections of a docstring in Google's style, such as ``Args``, with their text."""
    parts = re.split(r"(?m)^(Args|Returns|Yields|Raises):$", inspect.cleandoc(docstring))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def missing(node: ast.FunctionDef | ast.AsyncFunctionDef, names: list[str]) -> Iterator[str]:
    """What the docstring of a function does not document."""
    found = sections(ast.get_docstring(node) or "")
    documented = re.findall(r"(?m)^ {4}\*{0,2}(\w+): \S", found.get("Args", ""))
    yield from (name for name in names if name not in documented)
    gives = node.returns is None or ast.unparse(node.returns) != "None"
    if gives and not {"Returns", "Yields"} & found.keys():
        yield "Returns"


def test_public_functions_of_three_or_more_arguments_document_each_of_them():
    lacking = []
    for path, tree in TREES.items():
        if any(part.startswith("_") for part in path.relative_to(PACKAGE).with_suffix("").parts if part[:2] != "__"):
            continue
        for node, method in functions(tree):
            names = parameters(node, method)
            if len(names) < 3 or (path.parent.name == "cli" and is_command(node)):
                continue
            if undocumented := [*missing(node, names)]:
                place = f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}"
                lacking.append(f"{place}: {', '.join(undocumented)}")
    assert not lacking, "\n".join(lacking)
