"""Pictures: camera, z-buffer, painting and film turn shapes and colours into pixels."""
