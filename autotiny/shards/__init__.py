"""Data in shards: a step mapped over them by any engine, and what it returns added up in their order."""
