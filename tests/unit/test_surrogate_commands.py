# SPDX-License-Identifier: BSD-3-Clause
"""The commands of the surrogates teach: each has a text, and each option says what it is."""

import importlib
import re

import pytest

PACKAGES = (
    "co2_reconstruction",
    "data_assimilation.learned",
    "downscaling",
    "ensemble",
    "flux_couplings",
    "forecast",
    "radiation_emulator",
)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_command_explains_itself(package, capsys):
    main = importlib.import_module(f"components.ml_surrogates.{package}.__main__").main
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    listed = capsys.readouterr().out
    names = listed[listed.index("{") + 1 : listed.index("}")].replace("\n", "").replace(" ", "").split(",")
    assert "evaluate" in names and "train" in names
    for name in names:
        with pytest.raises(SystemExit, match="0"):
            main([name, "--help"])
        text = capsys.readouterr().out
        options = text[text.index("options:") :].split("\n  -")[1:]
        assert options and not [o.split()[0] for o in options if not re.search(r"(  |\n) *\w+", o)]
        assert "--threads" in text


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wrong_word_is_told_with_those_that_may_stand(package, capsys):
    main = importlib.import_module(f"components.ml_surrogates.{package}.__main__").main
    with pytest.raises(SystemExit, match="2"):
        main(["trian"])
    assert "evaluate" in capsys.readouterr().err
