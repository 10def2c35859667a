"""Read faces: a folder of images and its tables become arrays and pipelines."""

from vaelib.data.faces import DATA, IMAGES, Faces, faces_folder, read_faces
from vaelib.data.pipeline import make_dataset
from vaelib.data.pixels import load_images, load_pixels
from vaelib.data.tables import SPLITS, read_attributes, read_partition

__all__ = [
    "DATA",
    "IMAGES",
    "SPLITS",
    "Faces",
    "faces_folder",
    "load_images",
    "load_pixels",
    "make_dataset",
    "read_attributes",
    "read_faces",
    "read_partition",
]
