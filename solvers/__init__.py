"""Mathematics, nothing else: a problem's arrays in, a schedule and a bound out."""
