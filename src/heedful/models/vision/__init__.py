"""Models of pictures: convolutions with gates, transformers over patches, pixels, boxes and missing patches."""
