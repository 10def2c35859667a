"""From shape and colour to pixels: camera, z-buffer, painting and film."""
