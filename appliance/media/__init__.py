"""Films as files and rows: uploads, assets, tracks, jobs with their work units."""
