"""Air-sea flux laws, which the coupler runs on the exchange grid."""
