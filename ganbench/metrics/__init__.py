"""From samples and the distribution they should follow, to numbers with intervals."""

#: The protocol that numbers are measured by. Raise it when the same samples would read other numbers.
PROTOCOL = 1
