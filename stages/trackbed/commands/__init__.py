"""The commands of the program `trackbed`: what each takes, and what it prints."""
