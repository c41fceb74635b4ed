"""MLflow: a run for each cell, nested in one for the whole run, in the experiment of the suite's name.

A metric for each column, jsd, with jsd/low and jsd/high, the ends of its 95 % interval over the seeds; `seeds: true`
adds each seed, jsd/seed 3. What a cell is trained with are its parameters, the recorded samples its images; the suite
and the tables are artifacts of the whole run. https://mlflow.org/docs/latest/api_reference/python_api
"""

from ganbench import Observer, hookimpl
from ganbench.plugin.observed import tracked


class MLflow:
    """The runs of MLflow, by the names of the cells; the whole run's name is empty."""

    def __init__(self, client, experiment, run, seeds):
        self.client, self.experiment, self.run, self.seeds, self.ids = client, experiment, run, seeds, {}
        self.start("", run.name, {})

    def start(self, name, title, tags):
        own = {"ganbench.run": self.run.name, "ganbench.cell": name or "all"}
        wanted = " and ".join(f"tags.`{key}` = '{value}'" for key, value in own.items())
        if found := self.client.search_runs([self.experiment], wanted, max_results=1):
            self.ids[name] = found[0].info.run_id  # the run goes on
            self.client.update_run(self.ids[name], status="RUNNING")
        else:
            made = self.client.create_run(self.experiment, run_name=title, tags=own | tags)
            self.ids[name] = made.info.run_id

    def cell_started(self, cell):
        from mlflow.entities import Param

        if cell.name not in self.ids:
            self.start(cell.name, cell.name, {"mlflow.parentRunId": self.ids[""]})
            told = [Param(name, str(value)) for name, value in cell.parameters.items()]
            self.client.log_batch(self.ids[cell.name], params=told)

    def evaluated(self, cell, step, rows, summary):
        from time import time

        from mlflow.entities import Metric

        now = int(time() * 1000)
        numbers = tracked(summary, rows if self.seeds else ())
        told = [Metric(name, value, now, step) for name, value in numbers.items()]
        for first in range(0, len(told), 1000):  # no more at once
            self.client.log_batch(self.ids[cell.name], metrics=told[first : first + 1000])

    def pictured(self, cell, step, image):
        self.client.log_image(self.ids[cell.name], image, key="samples", step=step)

    def cell_ended(self, cell):
        self.client.set_terminated(self.ids.pop(cell.name))

    def run_ended(self):
        for file in ("suite.yaml", "table.csv", "seeds.csv", "curves.csv"):
            if (self.run / file).is_file():
                self.client.log_artifact(self.ids[""], str(self.run / file))

    def closed(self, finished):
        for identity in self.ids.values():
            self.client.set_terminated(identity, "FINISHED" if finished else "KILLED")


def mlflow(run, suite, *, tracking_uri: str | None = None, seeds: bool = False):
    """Where MLflow itself puts runs, a file here or MLFLOW_TRACKING_URI; or at `tracking_uri`, sqlite:///FILE."""
    from pathlib import Path

    from mlflow import MlflowClient

    kind, _, file = (tracking_uri or "").partition(":///")
    if kind == "sqlite":  # MLflow keeps files open by their names: a relative one would be another in another folder
        tracking_uri = f"{kind}:///{Path(file).resolve()}"
    client = MlflowClient(tracking_uri)
    known = client.get_experiment_by_name(suite["suite"])
    experiment = known.experiment_id if known else client.create_experiment(suite["suite"])
    return MLflow(client, experiment, run, seeds)


@hookimpl
def ganbench_observers():
    needs = {"mlflow": "ganbench[mlflow]"}
    yield Observer("mlflow", mlflow, needs=needs, tried_with={"tracking_uri": "sqlite:///mlflow.db"})
