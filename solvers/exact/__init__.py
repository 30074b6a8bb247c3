"""One sparse time-indexed model, and the engines that solve it."""
