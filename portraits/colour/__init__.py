"""What colour things have: light, skin, hair, cloth and backdrop."""
