"""emohub: takes the EmoNet-Face and Chehre benchmarks from raw upstream files to Hub repos."""

from importlib.metadata import version

__version__ = version("emohub")
