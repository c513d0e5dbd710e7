# SPDX-License-Identifier: BSD-3-Clause
"""A learned forecast of six hours of the project's own atmosphere at 295 km, between given sides."""
