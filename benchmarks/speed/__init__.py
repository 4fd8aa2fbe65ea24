"""Speed and memory side by side: every contestant in a process of its own, in turns."""
