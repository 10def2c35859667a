"""Benchmarks: commands that measure how good the portraits and the models are."""
