# SPDX-License-Identifier: BSD-3-Clause
"""The inversion as a component; the science is in `ml_surrogates/estimation` and `carbon_dioxide_fields`."""

from components.chemistry.carbon_dioxide_fields.analysis_component import CarbonDioxideAnalysis


class CarbonDioxideInversion(CarbonDioxideAnalysis):
    """Transport, and stations by optimal interpolation or an ensemble with the fluxes in its state; see README.md."""

    description = "carbon dioxide from stations by inversion"

    class Options(CarbonDioxideAnalysis.Options):
        """Options of the inversion."""
