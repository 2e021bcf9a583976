"""What happens in a project, told to everybody who is looking."""
