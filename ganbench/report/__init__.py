"""What a person sees of a run: the live view while it goes on, the table at its end."""
