"""Worker processes: their pool, their pipes, their code, and failures to start."""
