"""What both packages stand on, and what knows neither of them: files, locks, places, progress."""
