# SPDX-License-Identifier: BSD-3-Clause
"""RRTMG on ranks of its own; the science is in ``components/radiation/rrtmg_scheme.py``."""

from components.radiation.hazy import HazyRadiation
from components.radiation.rrtmg_scheme import Rrtmg
from coupler.component import Context, Setting


class RrtmgRadiation(HazyRadiation):
    """RRTMG (Mlawer et al. 1997; Iacono et al. 2008) through ``climt``, on CPU ranks; see README.md."""

    description = "RRTMG on its own ranks"

    def check(self, setting: Setting) -> list[str]:
        """Whether ``climt`` is there."""
        try:
            import climt  # noqa: F401
        except ImportError as error:
            return [f"{setting.name}: model rrtmg needs climt: pip install climt ({error})"]
        return []

    def prepare(self, context: Context) -> None:
        """The library's scheme."""
        super().prepare(context)
        self.scheme = Rrtmg(self.gases)
