# SPDX-License-Identifier: BSD-3-Clause
"""What the commands of the surrogates have in common: ``python -m components.ml_surrogates.X train | evaluate``.

Without torch, which a command loads when it runs, so that ``--help`` answers at once.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from coupler.paths import DATA

SEED: dict[str, Any] = {"type": int, "default": 1, "help": "of everything random"}
"""Of the option ``--seed``."""
COLUMNS = DATA / "radiation_columns.nc"
"""Columns drawn from runs of this project (`drawn_columns`), as shipped."""


class CommandLine:
    """Commands of a surrogate; each has ``--threads``.

    Parameters
    ----------
    package : of the surrogate, as ``python -m`` takes it
    text : what ``--help`` begins with
    """

    def __init__(self, package: str, text: str | None):
        self.parser = argparse.ArgumentParser(prog=f"python -m {package}", description=text)
        self.commands = self.parser.add_subparsers(required=True)

    def command(self, name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        """A command, to which options may be added.

        Parameters
        ----------
        name : as it is typed
        run : takes what was typed
        text : a line for ``--help``
        """
        shown = argparse.ArgumentDefaultsHelpFormatter
        p: argparse.ArgumentParser = self.commands.add_parser(name, help=text, description=text, formatter_class=shown)
        p.set_defaults(run=run)
        return p

    def trains(self, name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        """A command that writes a model, ``--out``; one that is there is kept unless ``--overwrite`` is said.

        Parameters
        ----------
        name, run, text : as of `command`
        """
        p = self.command(name, run, text)
        p.add_argument("--out", type=Path, required=True, help="files to write, without ending")
        p.add_argument("--overwrite", action="store_true", help="train anew what --out has")
        return p

    def scores(self, name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        """A command that writes a card, ``--card``; `written` writes it.

        Parameters
        ----------
        name, run, text : as of `command`
        """
        p = self.command(name, run, text)
        p.add_argument("--card", type=Path, default=None, help="file to write (Markdown); without it the screen only")
        return p

    def everywhere(self, option: str, **about: Any) -> None:
        """An option of every command so far.

        Parameters
        ----------
        option : ``--name``
        about : as of `argparse.ArgumentParser.add_argument`
        """
        for p in self.commands.choices.values():
            p.add_argument(option, **about)

    def run(self, arguments: Sequence[str] | None) -> None:
        """Read what was typed and run it.

        Parameters
        ----------
        arguments : words; None: of the process
        """
        self.everywhere("--threads", type=int, default=1, help="threads of torch")
        typed = self.parser.parse_args(arguments)
        import torch

        if not getattr(typed, "overwrite", True):
            from components.ml_surrogates.model_file import SIDECAR, beside

            there = beside(typed.out, SIDECAR)
            if there.exists():
                raise SystemExit(f"{there} is there already; name other files with --out, or say --overwrite")
        torch.set_num_threads(typed.threads)
        typed.run(typed)


def tell(text: str) -> None:
    """A line on the screen at once.

    Parameters
    ----------
    text : the line
    """
    print(text, flush=True)


def written(text: str, card: Path | None) -> None:
    """Show a model card, and write it where a file is named.

    Parameters
    ----------
    text : Markdown
    card : file or none
    """
    from coupler.files.atomic import write_text

    print(text)
    if card is not None:
        write_text(card, text)
