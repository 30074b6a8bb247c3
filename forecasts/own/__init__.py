"""Day-ahead forecasters that need nothing but what was measured before."""
