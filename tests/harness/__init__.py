"""Drives the real `lakemill` binary for the tests of what users are promised."""
