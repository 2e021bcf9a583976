"""X-AnyLabeling's protocol for model servers: marks become polygons."""
