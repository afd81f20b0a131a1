"""What the commands do, and how they end; each module is loaded when its command runs."""
