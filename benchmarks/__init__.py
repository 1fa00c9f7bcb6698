"""Speed and memory of the conversion, as ratios in one run."""
