"""Commands and options as other tools have them: what to write here."""

from __future__ import annotations

from pathlib import Path

from ganbench.core.controls import on_one_line
from ganbench.plugin.words import key_cure, same

_COMMANDS = {
    "run": "train fit start launch exec execute benchmark bench experiment resume sweep",
    "score": "eval evaluate measure metrics fid",
    "sample": "generate draw synthesize synthesise",
    "show": "report results result print table view summary status plot",
    "compare": "diff cmp judge gate regress regression",
    "list": "ls plugins losses models info describe search",
    "new": "init create add scaffold generate template",
    "check": "lint validate verify test doctor",
    "plan": "dry-run dryrun estimate preview",
    "history": "log trend",
}
_OPTIONS = {
    "--device cuda": "gpu gpus cuda gpu-id use-cuda accelerator",
    "--seeds N, for the seeds 0 to N-1; for one, seeds: [3] in the suite": "seed manual-seed n-seeds num-seeds",
    "--out DIR": "output output-dir outdir out-dir save-dir results-dir log-dir results logdir",
    "--dataset NAME": "data-set data target",
    "--engine serial": "serial no-batch no-vmap",
    "--engine eager": "eager no-compile debug",
    "--engine compiled": "compile compiled jit",
    "--data DIR": "data-dir data-root dataroot data-path root",
    "--plugins DIR": "plugin plugin-dir plugins-dir",
}
_NEEDLESS = {
    "the budget is of the suite: write budget: {steps: 10000, batch: 256}": "steps budget batch max-steps",
    "the suite has it: write evaluate: {every: 1000, samples: 10000}": "every evaluate",
    "the suite has it: write variants: {a: {loss: ...}}": "loss variant variants architecture update penalty",
    "the suite has it: write metrics: [jsd, modes]": "metric metrics",
    "a run goes on by itself: give the same command again": "resume continue restart-from checkpoint ckpt",
    "the suite is an argument, without an option": "config cfg suite config-file conf yaml file",
    "leave it out: all seeds of a variant train at once": "workers num-workers jobs n-jobs threads parallel",
    "leave it out": "verbose quiet v q yes y force f no-progress",
}


def command_cure(word: str, known: list[str]) -> str:
    """What to write for a command that there is not, as the end of a message."""
    if Path(word).suffix in (".yaml", ".yml", ".json"):
        return f"to run a suite: ganbench run {on_one_line(word)}"
    for command, words in _COMMANDS.items():
        if same(word) in map(same, words.split()) and command in known:
            return f"write: ganbench {command}"
    return ""


def option_cure(option: str, known: list[str]) -> str:
    """What to write for an option that there is not, as the end of a message."""
    word = same(option.lstrip("-"))
    for here, words in _OPTIONS.items():
        if word in map(same, words.split()) and here.split()[0] in known:
            return f"write {here}"
    for cure, words in _NEEDLESS.items():
        if word in map(same, words.split()):
            return cure
    cure = key_cure(word, "").removeprefix(": ")
    return f"it is no option, but of the suite: {cure}" if cure else ""
