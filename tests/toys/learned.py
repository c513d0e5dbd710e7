# SPDX-License-Identifier: BSD-3-Clause
"""A sidecar for an untrained radiation emulator."""

from dataclasses import replace

from components.ml_surrogates import model_file
from components.ml_surrogates.radiation_emulator import networks


def card(**changes):
    """A sidecar as the emulator wants it."""
    ins, outs = networks.expected()
    whole = model_file.Sidecar(
        networks.NAME, "recurrent", {"hidden": 8, "classes": 4},
        tuple(model_file.Variable(f.name, f.units, 0.0, 1e6) for f in ins),
        tuple(model_file.Variable(f.name, f.units) for f in outs),
        {name.lower(): float(getattr(networks.inputs, name)) for name in networks.CONSTANTS}, "0" * 64, 1,
    )  # fmt: skip
    return replace(whole, **changes)
