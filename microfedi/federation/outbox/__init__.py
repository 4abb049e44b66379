"""What the owner may do: one file per thing. Each fetches first, then writes everything at once."""
