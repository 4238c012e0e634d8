"""What a job is: its record and every change of it, what may be asked of it, and how its owner sees it.

Knows DynamoDB, where records are, and nothing else of AWS.
"""
