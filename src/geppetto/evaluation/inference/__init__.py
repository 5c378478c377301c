"""From differences between arms, person by person, to intervals, tests and verdicts."""
