"""CelebA's 40 attributes: what can be seen of them, and how to switch them."""
