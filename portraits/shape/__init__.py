"""Where things are: triangle meshes of head, hair, clothes and accessories."""
