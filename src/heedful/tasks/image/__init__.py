"""The task image: classes of pictures, of pixels and of boxes, and patches that were left out."""
