# SPDX-License-Identifier: BSD-3-Clause
"""What drives the model from outside: analyses, prepared files, lateral states, nudging and increments."""
