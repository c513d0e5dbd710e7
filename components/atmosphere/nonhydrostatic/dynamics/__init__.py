"""The dynamics: geometry, state, tendencies and the time step."""
