"""Physical constants of radiation (SI units); those of the atmosphere model, so that heating and enthalpy agree."""

GRAVITY = 9.81  # g, m s-2
CP_DRY = 3.5 * 287.0  # c_p, J kg-1 K-1
STEFAN_BOLTZMANN = 5.670374e-8  # W m-2 K-4
SOLAR_CONSTANT = 1361.0  # W m-2
