"""A neural radiation scheme: the networks, their training and the component that runs them."""
