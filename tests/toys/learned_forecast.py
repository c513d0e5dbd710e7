# SPDX-License-Identifier: BSD-3-Clause
"""An untrained emulator of the air on disk: it changes the air by little, and no air is out of its range."""

import torch

from components.ml_surrogates.data_assimilation.learned import emulator
from components.ml_surrogates.data_assimilation.learned.stepper import Stepper


def written(path, levels, shape, step, spacing=3e5):
    torch.manual_seed(4)
    net = Stepper(len(emulator.FIELDS) * levels, 6, 3, *shape)
    torch.nn.init.normal_(net.out.weight, std=0.05)
    parts = {"t": (250.0, 30.0, 0.1), "q": (3e-3, 5e-3, 1e-6), "u": (0.0, 20.0, 0.1), "v": (0.0, 20.0, 0.1),
             "ln_p": (10.5, 1.0, 1e-6)}  # fmt: skip
    for buffer, column in ((net.middle, 0), (net.spread, 1), (net.change, 2)):
        buffer.copy_(torch.tensor([v[column] for v in parts.values()]).repeat_interleave(levels)[:, None, None])
    emulator.save(path, net, {"step": step, "spacing": spacing}, "0" * 64, 4)
    return path
