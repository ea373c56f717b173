"""Attacks on every playbook by another user of the same machines, one file for each subject.

names.py and kinds.py are the tables: a name or a kind more is one line there.
"""
