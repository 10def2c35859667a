"""Who is drawn: the parameters of one person, and how they are sampled and changed."""
