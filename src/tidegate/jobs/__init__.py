"""The queue: workers that take what is offered, and the scheduler that keeps the time. No logic of Operations here."""
