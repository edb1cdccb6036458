"""What the graph's stages have in common: a PTransform that lays one step down for every row."""

from __future__ import annotations

from typing import ClassVar

import apache_beam as beam
from apache_beam.pvalue import PCollection

from transforms.work import Run, Step, Work


class StageTransform(beam.PTransform[PCollection[Work], PCollection[Work]]):  # type: ignore[misc]
    """Appends this stage's step to every `Work`. Subclasses are dataclasses whose fields are their configuration."""

    name: ClassVar[str]
    per_placement: ClassVar[bool] = False

    def step(self) -> Run:
        """The picklable `Job -> Job` of this stage, usually a `functools.partial` of the module's function."""
        raise TypeError(f"{type(self).__name__} defines no step")

    def expand(self, works: PCollection[Work]) -> PCollection[Work]:
        """Lay the step down."""
        return works | beam.Map(Work.then, Step(self.name, self.step(), self.per_placement)).with_output_types(Work)

    def append_to(self, work: Work) -> Work:
        """The same without Beam."""
        return work.then(Step(self.name, self.step(), self.per_placement))
