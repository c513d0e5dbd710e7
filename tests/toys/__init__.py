"""Small components and cases for the tests of the framework."""
