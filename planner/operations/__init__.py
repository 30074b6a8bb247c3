"""What watches over a site: incidents, their log lines, figures and alerts."""
