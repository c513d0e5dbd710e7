# SPDX-License-Identifier: BSD-3-Clause
"""The site: guides, cases, models, gallery and API reference in one; ``make docs`` runs ``python docs/site/build.py``.

The sources are laid out in ``build/docs/source`` as in the repository, so that every link leads where it does there;
pages of the reference and the gallery are made from the code. Sphinx's warnings are errors. ``--without-reference``
leaves out the reference, which takes minutes.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "docs"
SOURCE = BUILD / "source"
GUIDES = (
    "tutorial",
    "namelists",
    "coupling",
    "coupled",
    "ensembles",
    "rivers",
    "gradients",
    "remapping",
    "driving_data",
    "long_runs",
    "single_column",
    "components",
    "land",
    "chemistry",
    "surrogates",
)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
PICTURE = re.compile(r"!\[(?P<text>[^\]]*)\]\((?P<file>[^)\s]+)\)")


def guides():
    """The Markdown files of the site by their path in the repository, in the order of the contents."""
    named = [ROOT / "docs" / f"{name}.md" for name in GUIDES]
    others = sorted(set((ROOT / "docs").glob("*.md")) - set(named))
    return [p for p in named if p.is_file()] + others


def models():
    """READMEs and cards of the models, in the order of their folders."""
    return sorted(p for name in ("README.md", "*_CARD.md") for p in (ROOT / "components").rglob(name))


def cases():
    """READMEs of the templates and of their data."""
    return [*sorted((ROOT / "namelists").rglob("README.md")), *sorted((ROOT / "data").glob("README.md"))]


def place(path):
    """Copy a file to its place among the sources."""
    target = SOURCE / path.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy(path, target)


def place_page(path):
    """Copy a page, and what it links to; a link to a folder becomes the folder's name."""
    text = path.read_text(encoding="utf-8")
    for link in set(LINK.findall(text)):
        target = (path.parent / link).resolve()
        if target.is_dir():
            text = re.sub(rf"\[([^\]]*)\]\({re.escape(link)}\)", r"\1", text)
        elif target.suffix != ".md":
            place(target)
    (SOURCE / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
    (SOURCE / path.relative_to(ROOT)).write_text(text, encoding="utf-8")


def reference():
    """A page for each package of the reference, with all its modules; returns the pages' names."""
    modules = {}
    for top in ("coupler", "components"):
        for path in sorted((ROOT / top).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            if path.stem == "__main__":
                continue
            package, _, _ = name.rpartition(".")
            modules.setdefault(package, []).append(name)
    pages = []
    for package in sorted(modules):
        own = [n for n in modules[package] if n.endswith(".__init__")]
        others = [n for n in modules[package] if not n.endswith(".__init__")]
        lines = [package, "=" * len(package), ""]
        if own:
            lines += [f".. automodule:: {package}", ""]
        for name in others:
            short = name.removeprefix(package + ".")
            lines += [short, "-" * len(short), "", f".. automodule:: {name}", ""]
        page = SOURCE / "reference" / f"{package}.rst"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("\n".join(lines), encoding="utf-8")
        pages.append(f"reference/{package}")
    return pages


def scripts():
    """The scripts of the gallery that draw a figure with matplotlib."""
    return sorted(p for p in (ROOT / "docs" / "gallery").glob("*.py") if "matplotlib" in p.read_text(encoding="utf-8"))


def load(path):
    """The module of a script."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def gallery(pages):
    """Figures that the scripts draw now, and the pictures of the pages with where they are explained."""
    import matplotlib

    matplotlib.use("Agg")
    lines = ["# Gallery", ""]
    for script in scripts():
        module = load(script)
        title, _, text = module.__doc__.partition("\n")
        place(script)
        module.draw().savefig(SOURCE / f"docs/gallery/{script.stem}.png", dpi=110)
        lines += [f"## {title.rstrip('.')}", "", f"![{title}](/docs/gallery/{script.stem}.png)", "", text.strip(), ""]
        lines += [f"Drawn by {{download}}`{script.name} </docs/gallery/{script.name}>` when this site was made.", ""]
    lines += ["## From the pages", ""]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for picture in PICTURE.finditer(text):
            file = (page.parent / picture["file"]).resolve().relative_to(ROOT)
            title = text.splitlines()[0].lstrip("# ")
            lines += [f"### {picture['text'] or title}", "", f"![{picture['text']}](/{file})", ""]
            lines += [f"Explained in [{title}](/{page.relative_to(ROOT)}).", ""]
    (SOURCE / "gallery.md").write_text("\n".join(lines), encoding="utf-8")


def contents(caption, pages, depth=1):
    """A table of contents."""
    head = ["```{toctree}", f":caption: {caption}", f":maxdepth: {depth}", ""]
    return [*head, *pages, "```", ""]


def main():
    """Lay out the sources and build the site."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    SOURCE.mkdir(parents=True)
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *guides(), *cases(), *models()]
    for page in pages:
        place_page(page)
    gallery(pages)

    def names(paths):
        return [str(p.relative_to(ROOT).with_suffix("")) for p in paths]

    index = ["# Tessera", "", "A regional Earth-system model in Python.", ""]
    index += contents("Start", ["README", *names(guides())])
    index += contents("Cases", names(cases()))
    index += contents("Models", names(models()))
    index += contents("Look", ["gallery"])
    if "--without-reference" not in sys.argv:
        index += contents("Reference", reference())
    index += contents("Project", ["CONTRIBUTING", "CHANGELOG"])
    (SOURCE / "index.md").write_text("\n".join(index), encoding="utf-8")
    shutil.copy(Path(__file__).with_name("conf.py"), SOURCE / "conf.py")
    sphinx = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-b",
        "html",
        "-W",
        "--keep-going",
        "-c",
        str(Path(__file__).parent),
    ]
    code = subprocess.run([*sphinx, str(SOURCE), str(BUILD / "html")], cwd=ROOT, check=False).returncode
    if not code:
        print(f"the site is in {BUILD / 'html' / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
