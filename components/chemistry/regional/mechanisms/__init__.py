# SPDX-License-Identifier: BSD-3-Clause
"""Mechanisms that come with the project; NOTICE.md says where they are from."""

from pathlib import Path

MECHANISMS = Path(__file__).parent
