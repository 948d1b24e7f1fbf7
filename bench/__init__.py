"""Speed as ratios inside one run: machines are noisy, a ratio to a bare COPY in the same minute is not."""
