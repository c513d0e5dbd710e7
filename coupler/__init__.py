"""The coupling framework: knows no physics, imports nothing from components/."""
