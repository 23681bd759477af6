"""Signed, unit-bearing measures of facial asymmetry from photos and videos: risk signals for research, never a diagnosis"""
__version__ = "0.1.0"

import sys
if 'IPython' in sys.modules:  # tooltips of notebooks show the comments beside parameters
    from .app.tooltips import show_comments
    show_comments()
