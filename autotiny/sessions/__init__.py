"""Live graphs: named statements that can be edited; an edit recomputes only what depends on it."""
