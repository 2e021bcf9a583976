"""Who is there: logins, sessions, and what each role may do."""
