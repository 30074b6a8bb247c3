"""What leaves: the plan and its file, the independent check, tables and reports."""
