"""The data set on disk: labelled portraits in the layout of CelebA, and paired sets."""
