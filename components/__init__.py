# SPDX-License-Identifier: BSD-3-Clause
"""The models, one folder a realm, one folder a model."""
