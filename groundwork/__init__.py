"""Helpers of both packages that import neither: files, locks, processes, places, progress."""
