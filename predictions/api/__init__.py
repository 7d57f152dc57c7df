"""The REST resources of what the networks say, a file for each noun."""
