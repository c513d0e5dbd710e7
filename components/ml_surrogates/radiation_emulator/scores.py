# SPDX-License-Identifier: BSD-3-Clause
"""Scores of fluxes against RRTMGP's, and the rivals that a network must beat: ridge regression and the mean."""

from dataclasses import dataclass

import numpy as np
import torch

from components.radiation.rrtmgp_scheme import FLUXES
from components.radiation.scheme import heating_rate

from .dataset import Batch
from .inputs import RadiationNetwork
from .mlp import column_features

DAY = 86400.0
COUNTED = 400.0  # Pa; heating is scored below this height


@dataclass
class Prediction:
    """Fluxes (nlev+1, n) W m-2 of columns."""

    lw_up: torch.Tensor
    lw_down: torch.Tensor
    sw_up: torch.Tensor
    sw_down: torch.Tensor

    def heating(self, p_interface: torch.Tensor) -> torch.Tensor:
        """Longwave and shortwave heating, K/day."""
        net = (self.lw_up - self.lw_down + self.sw_up - self.sw_down).double()
        return DAY * heating_rate(net, p_interface.double())


def truth(b: Batch) -> Prediction:
    """RRTMGP's own fluxes."""
    return Prediction(b.lw_up, b.lw_down, b.sw_up, b.sw_down)


def predict(net: RadiationNetwork, b: Batch) -> Prediction:
    """A network's fluxes; no shortwave at night.

    Parameters
    ----------
    net : trained network
    b : columns
    """
    with torch.inference_mode():
        up, down = net.long(b.x)
        sw_up, sw_down = torch.zeros_like(up), torch.zeros_like(up)
        day = torch.nonzero(b.x.columns.mu > 0.0)[:, 0]
        if len(day):
            bright, dark = net.short(b.x.take(day))
            sw_up[:, day], sw_down[:, day] = (a * b.insolation[day] for a in (bright, dark))
    return Prediction(up, down, sw_up, sw_down)


def rms(a: torch.Tensor) -> float:
    """Root mean square."""
    return float(torch.sqrt((a.double() * a.double()).mean()))


def scores(got: Prediction, b: Batch, some: torch.Tensor | None = None) -> dict[str, float]:
    """Errors of a prediction: heating RMSE (K/day) and its bias, flux RMSE and biases (W m-2).

    Parameters
    ----------
    got : fluxes of the network
    b : columns with the right fluxes
    some : numbers of the columns to score, None for all
    """
    some = torch.ones(len(b.x.columns.mu), dtype=torch.bool) if some is None else some
    right, p_i = truth(b), b.x.columns.p_interface
    wrong = (got.heating(p_i) - right.heating(p_i))[:, some]
    counted = b.x.columns.p[:, some] > COUNTED
    day = some & (b.x.columns.mu > 0.0)
    d = {name: getattr(got, name) - getattr(right, name) for name in FLUXES}
    return {
        "heating": rms(wrong[counted]),
        "heating_bias": float(wrong[counted].mean()),
        "olr": rms(d["lw_up"][-1, some]),
        "olr_bias": float(d["lw_up"][-1, some].double().mean()),
        "surface_longwave": rms(d["lw_down"][0, some]),
        "surface_shortwave": rms(d["sw_down"][0, day]),
        "surface_shortwave_bias": float(d["sw_down"][0, day].double().mean()),
        "reflected": rms(d["sw_up"][-1, day]),
    }


class Ridge:
    """Linear regression with a penalty (Hoerl & Kennard 1970) from a column's features to its fluxes and heating."""

    def __init__(self, b: Batch, penalty: float = 1e-3):
        x = self._features(b)
        y = self._targets(b)
        self.size = (b.lw_up.shape[0], b.x.columns.p.shape[0])
        matrix = x.T @ x / len(x) + penalty * np.eye(x.shape[1])
        self.weights = np.linalg.solve(matrix, x.T @ y / len(x))

    @staticmethod
    def _features(b: Batch) -> np.ndarray:
        a = column_features(b.x).double().numpy()
        return np.concatenate([a, a[:, -5:-4] * a, np.ones((len(a), 1))], axis=1)

    @staticmethod
    def _targets(b: Batch) -> np.ndarray:
        parts = [*(getattr(b, name) for name in FLUXES), truth(b).heating(b.x.columns.p_interface)]
        return torch.cat([a.double() for a in parts]).T.numpy()

    def errors(self, b: Batch) -> dict[str, float]:
        """The main scores."""
        return main_errors(torch.as_tensor(self._features(b) @ self.weights).T, torch.as_tensor(self._targets(b)).T, b)


def mean_profile_errors(training: Batch, b: Batch) -> dict[str, float]:
    """Scores of the training columns' mean; the shortwave's is that of a unit of incoming flux, times the incoming.

    Parameters
    ----------
    training : columns whose mean is the prediction
    b : columns to score
    """
    day = training.daylight()
    rows = []
    for name in FLUXES:
        if name.startswith("lw"):
            rows.append(getattr(training, name).double().mean(1, keepdim=True).expand(-1, len(b.x.columns.mu)))
        else:
            mean = getattr(day, name).double().sum(1, keepdim=True) / day.insolation.double().sum()
            rows.append(mean * b.insolation.double())
    heat = truth(training).heating(training.x.columns.p_interface).mean(1, keepdim=True)
    rows.append(heat.expand(-1, len(b.x.columns.mu)))
    return main_errors(torch.cat(rows), torch.as_tensor(Ridge._targets(b)).T, b)


def main_errors(got: torch.Tensor, right: torch.Tensor, b: Batch) -> dict[str, float]:
    """Heating, OLR and surface scores of rows of all fluxes and the heating.

    Parameters
    ----------
    got, right : (rows, n) fluxes and heating
    b : the columns
    """
    wrong = got - right
    n = b.lw_up.shape[0]
    day = b.x.columns.mu > 0.0
    return {
        "heating": rms(wrong[4 * n :][b.x.columns.p > COUNTED]),
        "olr": rms(wrong[n - 1]),
        "surface_longwave": rms(wrong[n]),
        "surface_shortwave": rms(wrong[3 * n][day]),
    }


def forcing(
    net_down: torch.Tensor, changed: torch.Tensor, right: torch.Tensor, right_changed: torch.Tensor
) -> dict[str, float]:
    """Change of the net downward flux at the top of the atmosphere (n,), the network's beside RRTMGP's.

    Parameters
    ----------
    net_down, changed : (n,) the network's before and after, W m-2
    right, right_changed : (n,) RRTMGP's, W m-2
    """
    mine, reference = (changed - net_down).double(), (right_changed - right).double()
    return {
        "forcing": float(mine.mean()),
        "reference": float(reference.mean()),
        "ratio": float(mine.mean() / reference.mean()),
        "rmse": rms(mine - reference),
        "same_sign": float((torch.sign(mine) == torch.sign(reference)).double().mean()),
    }
