"""Who the owner is: password, second factor, login, and the setup that makes them the owner."""
