"""Shapes: triangle meshes of head, hair, clothes and accessories."""
