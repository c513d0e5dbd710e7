# SPDX-License-Identifier: BSD-3-Clause
"""Ocean prescribed from CF files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coupler.component import Bias, Setting
from coupler.files.bias.surface_files import correct_file
from coupler.files.prescribed import Prescribed


class DataOcean(Prescribed):
    """Sea surface temperature from CF files, interpolated in time; wet where the file's `sea_binary_mask` is 1."""

    description = "prescribed sea surface temperature"
    offers = ("sea_surface_temperature",)
    mask_variable = "sea_binary_mask"

    def prepare_corrected_inputs(
        self, setting: Setting, files: Sequence[Path], report: Any, bias: Bias
    ) -> Mapping[str, Any]:
        """A file of the driver's sea surface temperature whose bias is taken off; see `coupler.files.bias`."""
        first, last = setting.clock.date(0), setting.clock.date(max(setting.duration - 1, 0))
        wanted = sorted({(d.year, d.month) for d in (first, last)})
        target = setting.folder / f"{setting.name}.corrected.nc"
        name = self.offers[0]
        correct_file(files, name, wanted, bias, target, report, self.options.names.get(name))
        return {"file": target.name}
