"""What hubctl remembers between passes: health, incidents, remediations and the audit trail, in SQL.

Apart from Git, which is the truth about configuration: this is the truth about intents and their outcomes.
"""
