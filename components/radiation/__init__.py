# SPDX-License-Identifier: BSD-3-Clause
"""Radiation: what every scheme takes and gives, the schemes themselves, and the models that run them as a component."""
