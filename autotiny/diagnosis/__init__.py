"""What a wrong gradient looks like: factors, signs, transposes, masks, missing terms."""
