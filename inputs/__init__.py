"""What the user says: time grid, settings, regions and jobs, read and checked."""
