"""Where jobs are sent: one file for each back end, all behind five verbs."""
