"""After the run: figures, maps of a day, observations, scores and the score card."""
