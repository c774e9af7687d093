"""Maps and flows: fixed points, Lyapunov exponents."""
