"""The documents say what there is, and what they say works: every block is run, every name is looked for."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import get_args, get_type_hints

import click
import pandas as pd
import pytest
import test_house
import yaml

import ganbench
from ganbench.cli import cli
from ganbench.compare.verdicts.finding import Outcome
from ganbench.plugin import shipped as folders
from ganbench.plugin.column import Column
from ganbench.plugin.kinds import KINDS, plural
from ganbench.plugin.registry import Registry
from ganbench.plugin.types import Metric
from ganbench.record.status import Status
from ganbench.run.observer import RunObserver
from ganbench.run.run import run
from ganbench.suite.load import find, load, parse
from ganbench.suite.mistake import SuiteError
from ganbench.suite.schema import schema
from ganbench.train.engine.engine import ENGINES
from ganbench.train.step.game import StepGame

ROOT = Path(__file__).parents[1]
README, HOUSE, PLUGINS, SUITES, RESULTS, BASELINES, TESTS = (
    ROOT / folder / "README.md"
    for folder in ("", "ganbench", "plugins", "suites", "results", "results/baselines", "tests")
)
#: The page of each kind of plugin, that of the methods, which are losses, and that of the models, which are references.
KIND_PAGES = {kind: PLUGINS.parent / plural(kind) / "README.md" for kind in KINDS}
METHODS, MODELS = (PLUGINS.parent / folder / "README.md" for folder in ("methods", "models"))
GENERATORS = RESULTS.parent / "generators.md"
COLUMNS = RESULTS.parent / "columns.md"
#: The suites that run published tables again.
PAPERS = SUITES.parent / "papers" / "README.md"
#: Those that check measures.
CHECKS = SUITES.parent / "checks" / "README.md"
MEASURED = RESULTS.parent / "measured"
DOCUMENTS = (
    *(README, HOUSE, PLUGINS, *KIND_PAGES.values(), METHODS, MODELS, SUITES, PAPERS, CHECKS, TESTS),
    *(BASELINES, *sorted(RESULTS.parent.glob("*.md")), *sorted(MEASURED.glob("*.md"))),
)
#: The most lines of a document, where that is not 200: more needs a page of its own.
LONGEST = {README: 130, RESULTS: 80, HOUSE: 130, PLUGINS: 120, SUITES: 260}
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(path):
    return path.read_text(encoding="utf-8")


def blocks(path, info):
    """The fenced blocks of a document whose first line is exactly ``info``."""
    return [content for found, content in FENCE.findall(text(path)) if found == info]


def section(path, title):
    """From the heading ``## title`` to the next."""
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", text(path), re.MULTILINE | re.DOTALL)
    assert found, f"{path} lacks a section {title!r}"
    return found[1]


def undocumented(names, *texts):
    """Those of ``names`` that stand nowhere in backticks; ``budget.steps`` documents ``steps``."""
    prose = FENCE.sub("", "\n".join(texts))
    said = {word for span in re.findall(r"`([^`\n]+)`", prose) for word in re.findall(r"[\w-]+", span)}
    return sorted(set(names) - said)


# What there is, is documented.


def test_every_document_is_tested():
    """All that git would have, in whatever folder."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    files = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert {ROOT / file for file in files if (ROOT / file).exists()} == set(DOCUMENTS)


def test_every_hook_and_public_name_is_documented():
    assert not undocumented([kind.hook for kind in KINDS.values()], text(PLUGINS))
    everything = "\n".join(map(text, (PLUGINS, *KIND_PAGES.values(), METHODS, MODELS, GENERATORS)))
    assert [name for name in ganbench.__all__ if not re.search(rf"\b{name}\b", everything)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_a_function_may_ask_for_is_documented(kind):
    wanted = {KINDS[kind].hook, *KINDS[kind].given} | {name for given in KINDS[kind].given.values() for name in given}
    if kind == "update":
        wanted |= {name for name in vars(StepGame) if not name.startswith("_")}
    if kind == "metric":
        fields = get_type_hints(Column)
        wanted |= {*fields, *get_args(fields["summary"]), *get_args(fields["better"])}
    pages = [KIND_PAGES[kind], *([METHODS] if kind == "loss" else [])]
    assert not undocumented(wanted, *map(text, pages))


@pytest.mark.parametrize("page", [*KIND_PAGES.values(), METHODS, MODELS], ids=lambda page: page.parent.name)
def test_the_page_of_a_kind_names_each_file_and_plugin_of_its_folder(page, shipped):
    listed = dict(re.findall(r"^\| \[(\w+\.py)\]\(\1\) \| ([^|]+) \|", text(page), re.MULTILINE))
    files = {file.name: set() for file in page.parent.glob("[!_]*.py")}
    for entry in shipped.entries:
        if Path(entry.source).parent.name == page.parent.name:
            files[Path(entry.source).name].add(entry.name)
    assert {file: set(re.findall(r"`([^`]+)`", names)) for file, names in listed.items()} == files


def test_every_folder_of_plugins_has_its_page():
    folders_there = {path.parent for path in PLUGINS.parent.rglob("*.py")}
    assert folders_there == {page.parent for page in (*KIND_PAGES.values(), METHODS, MODELS)}


def test_every_command_is_in_the_readme():
    assert [name for name in cli.commands if f"ganbench {name}" not in text(README)] == []


def commands():
    """Every command with its name, those of groups too."""
    for name, command in cli.commands.items():
        yield name, command
        inner = command.commands if isinstance(command, click.Group) else {}
        yield from ((f"{name} {one}", own) for one, own in inner.items())


def test_every_option_and_every_choice_of_one_is_documented():
    everything = "\n".join(map(text, DOCUMENTS))
    missing = [
        f"{name} {option}"
        for name, command in [("", cli), *commands()]
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
        if option.startswith("--") and not re.search(rf"(?<![\w-]){option}(?![\w-])", everything)
    ]
    assert missing == []
    assert not undocumented([*ENGINES, "auto"], text(SUITES))


def spoken_commands():
    """(file, command, the rest of the line) of every ``ganbench ...`` in code: fenced, indented or in backticks."""
    for path in DOCUMENTS:
        content = text(path)
        code = [line for _, block in FENCE.findall(content) for line in block.splitlines()]
        code += re.findall(r"^ {4}(.*)$", content, re.MULTILINE) + re.findall(r"`([^`\n]+)`", content)
        for line in code:
            yield from ((path, *found) for found in re.findall(r"(?:^|&& |\$ )ganbench ([a-z]+)\b([^`]*)", line))


def test_every_command_and_option_that_a_document_speaks_of_exists(shipped):
    for path, name, rest in spoken_commands():
        assert name in cli.commands, f"{path} speaks of 'ganbench {name}'"
        own = [command for one, command in commands() if one.split()[0] == name]
        known = {option for command in own for parameter in command.params for option in parameter.opts} | {"--help"}
        known |= {f"--{one}" for one in shipped.names("executor")}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, f"{path}: ganbench {name}{rest}"


def test_every_suite_key_is_documented():
    generated = schema()
    keys = {key for part in (generated, *generated["$defs"].values()) for key in part.get("properties", {})}
    assert not undocumented(keys, text(SUITES))


def test_every_shipped_suite_is_documented_and_says_what_it_costs():
    for path in folders.folder("suites").rglob("*.yaml"):
        page = path.parent / "README.md"
        assert f"]({path.name})" in text(page), f"{page} does not speak of {path.name}"
        header = re.match(r"(#[^\n]*\n)+", text(path))
        assert header, f"{path} has no header"
        assert "cost" in header[0].lower(), f"{path} does not say what it costs"


@pytest.fixture(scope="module")
def finished(tmp_path_factory, shipped, cpu):
    """A tiny run with every shipped metric, but for those that require what not every machine has."""
    metrics = [name for name in shipped.names("metric") if not shipped.value(Metric, name).requires]
    suite = parse(
        f"suite: columns\nseeds: 1\nbudget: {{steps: 2, batch: 8}}\nevaluate: {{samples: 50}}\n"
        f"datasets: {{ring8: ring}}\ndefaults: {{architecture: {{width: 4}}}}\n"
        f"variants: {{a: {{loss: minimax}}}}\nmetrics: {metrics}\n",
        shipped,
    )
    return trained(suite, shipped, tmp_path_factory.mktemp("columns"), cpu)


def trained(suite, registry, out, device):
    return run(suite, out=out, device=device, engine="eager", command=[], observer=RunObserver())


@pytest.mark.parametrize("table", ["curves", "seeds", "table", "differences", "profiles"])
def test_every_column_is_documented(table, finished):
    """By its name or, where a column of a metric fills several, in general: ``jsd_iqm_low`` as ``X_iqm_low``."""
    general = {
        name: name.replace(column.name, "X", 1)
        for column in finished.columns
        for name in (*column.fills, *column.of_seed)
        if name != column.name
    }
    documented = text(COLUMNS)
    for name in pd.read_csv(getattr(finished.folder, table)).columns:
        assert not undocumented([name], documented) or not undocumented([general.get(name, name)], documented), name


def test_every_column_that_a_shipped_metric_declares_is_documented(shipped):
    declared = [column.name for name in shipped.names("metric") for column in shipped.value(Metric, name).columns]
    assert not undocumented(declared, text(COLUMNS))


def test_every_file_of_a_run_is_documented(finished):
    files = [path.name + "/" * path.is_dir() for path in finished.folder.path.iterdir()]
    assert [name for name in files if f"| {name} |" not in text(RESULTS)] == []


def test_every_status_is_documented():
    assert not undocumented(map(str, Status), section(COLUMNS, "The status of a seed"))


# What is documented works.


EXAMPLES = {page.parent.name: blocks(page, "python") for page in (*KIND_PAGES.values(), METHODS, MODELS)}


@pytest.mark.parametrize("folder", EXAMPLES)
def test_every_kind_has_an_example(folder):
    assert EXAMPLES[folder]


@pytest.mark.parametrize(
    "code",
    [pytest.param(code, id=f"{folder}{n}") for folder, codes in EXAMPLES.items() for n, code in enumerate(codes)],
)
def test_an_example_plugin_is_found_trained_and_measured(code, tmp_path, cpu, gb, monkeypatch):
    """Saved as one file beside a suite, batched over seeds, with a number in every column that it fills."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins").mkdir()
    file = tmp_path / "plugins" / "example.py"
    file.write_text(code, encoding="utf-8")
    registry = Registry.load([tmp_path / "plugins"])
    assert registry.broken == ()
    examples = [entry for entry in registry.entries if entry.source == file]
    assert examples
    for entry in examples:
        data = {"suite": f"{entry.kind}-{entry.name}", "seeds": 3, "budget": {"steps": 4, "batch": 16}}
        data |= {"evaluate": {"samples": 100}, "datasets": {"data": "ring"}, "metrics": ["jsd", "modes"]}
        data["references"] = []
        variant = {"loss": "nonsaturating"}
        match entry.kind:
            case "dataset":
                data["datasets"] = {"data": entry.name}
            case "metric":
                data["metrics"] = [entry.name]
            case "reference":
                data["references"] = [entry.name]
            case "observer":
                data["observers"] = [entry.name]
            case "executor":
                pass
            case "schedule":
                variant["optimizer"] = {"schedule": entry.name}
            case kind:
                variant[kind] = entry.name
        written = yaml.safe_dump({**data, "variants": {"it": variant}})
        if entry.kind == "executor":
            Path("suite.yaml").write_text(written, encoding="utf-8")
            code, _, err = gb("run", "suite.yaml", "--executor", entry.name, "--tasks", 1, "--engine", "eager")
            assert code == 0, err
            (found,) = Path("results", f"executor-{entry.name}").glob("[!.]*/seeds.csv")
            assert list(pd.read_csv(found).query("variant == 'it'").status) == ["done"] * 3
            continue
        suite = parse(written, registry)
        result = trained(suite, registry, tmp_path, cpu)
        rows = pd.read_csv(result.folder.seeds)
        rows = rows[rows.variant == (entry.name if entry.kind == "reference" else "it")]
        assert list(rows.status) == ["done"] * 3
        if entry.kind != "reference":
            assert list(rows.engine) == ["eager"] * 3, "the example cannot be batched"
        assert rows[next(column.name for column in result.columns if column.summary != "none")].notna().all()


@pytest.mark.parametrize("content", blocks(SUITES, "yaml"), ids=lambda content: content.split("suite: ")[1].split()[0])
def test_an_example_suite_loads(content, shipped):
    parse(content, shipped)


@pytest.mark.parametrize("content", blocks(SUITES, "yaml fragment"))
def test_a_fragment_of_a_suite_loads_in_a_whole_one(content, shipped):
    whole = {"suite": "fragment", "datasets": {"r": "ring"}, "variants": {"a": {"loss": "minimax"}}}
    parse(yaml.safe_dump(whole | yaml.safe_load(content)), shipped)


def test_layers_resolve_as_the_comments_say(shipped):
    (content,) = (block for block in blocks(SUITES, "yaml") if "suite: layers" in block)
    suite = parse(content, shipped)
    said = re.findall(r"^  ([\w-]+): .*# (both|D|G): (\{.*\})$", content, re.MULTILINE)
    assert len(said) == len(suite.variants)
    for name, player, choice in said:
        players = {"G": suite.variants[name].generator_optimizer, "D": suite.variants[name].discriminator_optimizer}
        alone = f"suite: x\ndatasets: {{r: ring}}\nvariants: {{a: {{loss: minimax, optimizer: {choice}}}}}\n"
        wanted = parse(alone, shipped).variants["a"]
        for each in players.values() if player == "both" else [players[player]]:
            assert each == wanted.generator_optimizer, name


def test_the_mistakes_of_the_wrong_suite_are_those_shown(tmp_path, monkeypatch, shipped):
    ((wrong,), (shown,)) = blocks(SUITES, "yaml wrong"), blocks(SUITES, "text")
    monkeypatch.chdir(tmp_path)
    Path("wrong.yaml").write_text(wrong, encoding="utf-8")
    with pytest.raises(SuiteError) as raised:
        load("wrong.yaml", shipped)
    assert str(raised.value) == shown.strip()


def test_the_workflow_shown_is_this_repositorys_own():
    (shown,) = blocks(BASELINES, "yaml workflow")
    assert shown == text(ROOT / ".github" / "workflows" / "ganbench.yaml")


def test_every_word_of_a_comparison_and_every_exit_code_is_documented():
    assert not undocumented({word for one in Outcome for word in str(one).split()}, text(BASELINES))


# The front page.


def test_the_suite_on_the_front_page_has_eight_lines_and_its_table_five_rows(shipped):
    """The table is of that suite: each row is one of its references and variants, in the order of a run."""
    content, _ = blocks(README, "yaml")
    suite = parse(content, shipped)
    assert len(content.splitlines()) == 8
    shown = re.search(r"<!-- table -->\n(.*?)<!-- /table -->", text(README), re.DOTALL)[1]
    rows = re.findall(r"^ {5}([\w-]+) +\d\.\d{3} \[", shown, re.MULTILINE)
    assert rows == [*(choice.name for choice in suite.references), *suite.variants]
    assert len(rows) == 5


# The measured tables.


def test_every_measured_table_has_a_page_beside_it_with_its_date():
    pages = {page: text(page) for page in MEASURED.glob("*.md")}
    for file in MEASURED.glob("*.csv"):
        assert any(f"]({file.name})" in content for content in pages.values()), f"no page names {file}"
    for page, content in pages.items():
        assert re.search(r"^Measured on 20\d\d-\d\d-\d\d, ", content, re.MULTILINE), f"{page} has no date"
        assert f"](measured/{page.name})" in text(RESULTS), f"{RESULTS} does not name {page}"


def test_every_page_of_the_results_is_in_the_index():
    pages = [page for page in RESULTS.parent.glob("*.md") if page != RESULTS]
    assert [page.name for page in pages if f"]({page.name})" not in text(RESULTS)] == []


# The house.


def imported_by(room):
    own = [name for name in test_house.ARROWS if test_house.room(name) == room]
    return {test_house.room(other) for name in own for other in test_house.ARROWS[name]}


def test_the_table_of_the_rooms_is_true():
    """Which rooms there are, on which floor, and what each imports today: from lower floors only."""
    rows = re.findall(r"^\| (\d) \| `(\w+)` \| [^|]+ \| ?([^|]*) ?\|$", text(HOUSE), re.MULTILINE)
    said = {room: (int(floor), set(re.findall(r"`(\w+)`", imports))) for floor, room, imports in rows}
    real = {
        room: (floor + 1, imported_by(room) & set(test_house.FLOOR_OF) - {room})
        for room, floor in test_house.FLOOR_OF.items()
    }
    assert said == real
    floors = [int(floor) for floor, *_ in rows]
    assert floors == sorted((floor for floor, _ in real.values()), reverse=True)


def test_the_glossary_has_the_words_of_the_suite():
    words = (
        "cell seed replica metric column setting family reference baseline verdict status outcome journal record engine"
    )
    words += " executor step game player oracle suite variant case guard"
    glossary = section(HOUSE, "Glossary")
    assert [word for word in words.split() if not re.search(rf"^\| {word} \|", glossary, re.MULTILINE)] == []


# Links and places.


def test_every_path_that_a_document_names_is_there():
    """``train/step/game.py`` in backticks: from the top, from the package, or from the document's own folder."""
    homes = (ROOT, ROOT / "ganbench")
    for path in DOCUMENTS:
        for named in re.findall(r"`((?:[\w-]+/)+(?:[\w-]+\.(?:py|yaml|csv|md))?)`", text(path)):
            example = re.search(r"my_gan|hinge_r1|[A-Z]{4}", named)
            assert example or any((home / named).exists() for home in (*homes, path.parent)), f"{path}: {named}"


def slug(heading):
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text(path))):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        if anchor:
            assert anchor in map(slug, re.findall(r"^#+ (.*)$", text(target), re.MULTILINE)), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_is_there_and_not_long(path):
    assert 10 < len(text(path).splitlines()) <= LONGEST.get(path, 200)


def test_no_document_names_a_place_on_some_machine():
    documents = [*DOCUMENTS, ROOT / "pyproject.toml"]
    documents += [path for folder in ("plugins", "suites") for path in folders.folder(folder).rglob("*.*")]
    for path in documents:
        if path.suffix != ".pyc":
            found = re.search(r"(?<![\w.:/-])/(tmp|home|work|root|Users|mnt)\b\S*", text(path))
            assert not found, f"{path}: {found[0]}"


def test_the_documents_that_travel_with_plugins_and_suites_are_neither(shipped):
    assert {Path(entry.source).suffix for entry in shipped.entries} == {".py"}
    assert shipped.broken == ()
    with pytest.raises(SuiteError, match="unknown suite"):
        find("README")
