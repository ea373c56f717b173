"""What the collection uses of Ansible, which states no types itself: checked by mypy, never run."""
