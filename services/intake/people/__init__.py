"""Who may come in and what they may do: accounts, sessions, API keys, rights, and the trail of acts."""
