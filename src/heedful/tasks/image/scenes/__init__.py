"""What stands in a scene: the class of every pixel, and a box around every item."""
