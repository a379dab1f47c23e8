"""Live graphs: named statements that can be edited, of which only what an edit touches is computed again."""
