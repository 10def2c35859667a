"""Who is drawn: the parameters of a person, how they are sampled, and dials to change them."""
