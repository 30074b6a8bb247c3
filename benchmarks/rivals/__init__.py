"""The same day given to other tools, scored by the planner's own arithmetic.

A rival runs in an environment of its own; ``drivers/run_NAME.py`` is the only file
that imports it. A driver reads one JSON object from stdin and prints one:

- in: ``slot_minutes``, ``time_limit_s``, ``g_per_kwh`` and ``solar_kw`` (region ×
  slot), ``pue`` (region), and ``jobs``, each with ``regions`` to look at, ``first``
  and ``last`` start slot, ``slots``, ``minutes`` and IT ``kw``;
- out: ``seconds`` that the rival's own code took, and ``found``, for each job a list
  of ``[region, start slot, g_per_kwh]``, one for each region with an answer; or
  ``unavailable`` with the reason.
"""
