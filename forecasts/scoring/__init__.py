"""How good forecasts were, by what a planner needs of them."""
