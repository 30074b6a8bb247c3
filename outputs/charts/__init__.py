"""The day's charts as inline SVG, styled by the page's own classes."""
