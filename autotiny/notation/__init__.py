"""Every writer of formulas: text, LaTeX, MathML and NumPy source."""
