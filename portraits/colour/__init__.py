"""Colours: light, skin, hair, clothes, accessories and backdrop."""
