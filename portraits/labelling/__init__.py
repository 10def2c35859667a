"""Labels: which of CelebA's 40 attributes can be seen, and how to switch one."""
