"""What grid and sky will do: forecasts on the slots of a day, and their quality."""
