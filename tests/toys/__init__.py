# SPDX-License-Identifier: BSD-3-Clause
"""Small components and cases for the tests of the framework."""
