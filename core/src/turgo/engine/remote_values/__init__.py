"""Large values that stay on workers, who reads them, what is sent once."""
