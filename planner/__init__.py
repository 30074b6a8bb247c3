"""The order of things: from manifest and forecast to plan, dispatch and report."""
