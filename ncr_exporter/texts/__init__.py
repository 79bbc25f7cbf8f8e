"""The catalogue: what people read, in English and Korean side by side.

`text` says what an entry is; the other modules are data.
"""
