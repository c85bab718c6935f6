"""The task caption: pictures described, and questions about them answered."""
