"""Laurels."""
