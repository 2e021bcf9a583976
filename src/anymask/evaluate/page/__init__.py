"""Reports as pages: one static HTML file each, with its plots and pictures inside."""
