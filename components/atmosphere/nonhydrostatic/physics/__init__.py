"""Column physics: radiation, turbulence, convection, clouds."""
