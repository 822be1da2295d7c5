def measure(ready):
    return []
