# SPDX-License-Identifier: BSD-3-Clause
"""Every Python block of docs/land.md runs, in order, and its YAML names options that exist."""

import re

import torch
import yaml

from components.land.column.component import ColumnLand


def test_python_blocks_run(root):
    torch.set_num_threads(1)
    text = (root / "docs" / "land.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.S)
    assert len(blocks) >= 5
    space: dict = {}
    for block in blocks:
        exec(compile(block, "docs/land.md", "exec"), space)


def test_yaml_block_names_real_options(root):
    text = (root / "docs" / "land.md").read_text(encoding="utf-8")
    options = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", text, flags=re.S)[0])["column"]
    ColumnLand.Options(**options)
