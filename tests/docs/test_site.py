# SPDX-License-Identifier: BSD-3-Clause
"""The site: it builds without a warning, its figures are drawn, and the picture of the floors is that of the test."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(*words):
    pytest.importorskip("sphinx")
    command = [sys.executable, str(ROOT / "docs" / "site" / "build.py"), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return ROOT / "build" / "docs" / "html"


def test_guides_and_gallery_build_without_a_warning():
    html = build("--without-reference")
    page = (html / "docs" / "architecture.html").read_text(encoding="utf-8")
    assert "floors.svg" in page and (html / "_images" / "floors.svg").is_file()
    gallery = (html / "gallery.html").read_text(encoding="utf-8")
    for script in load(ROOT / "docs" / "site" / "build.py").scripts():
        assert f"{script.stem}.png" in gallery


@pytest.mark.slow
def test_the_whole_site_builds_without_a_warning():
    page = (build() / "reference" / "coupler.remap.html").read_text(encoding="utf-8")
    assert "Weights that take fields from" in page


def test_the_picture_of_the_floors_is_that_of_the_test():
    floors = load(ROOT / "docs" / "gallery" / "floors.py")
    assert floors.FILE.read_text(encoding="utf-8") == floors.draw(), "run: python docs/gallery/floors.py"
