"""Signed, unit-bearing measures of facial asymmetry from photos and videos: risk signals for research, never a diagnosis"""
__version__ = "0.1.0"

import sys
from importlib import import_module

_HOMES = dict( # what a newcomer needs; loaded when it is asked for (PEP 562)
    measure='fad.landmarks:measure', plot_face='fad.faces.figures:plot_face', extract='fad.runs.extract:extract',
    compare='fad.distributions:compare_run', train='fad.classifiers:train_run', predict='fad.models.cards:predict',
    audit='fad.shortcuts.audit:audit', reflect='fad.cnn:reflect_run', trend='fad.temporal:trend_clip',
    change='fad.clips.change:change', study='fad.app.study:study')
__all__ = sorted(_HOMES)

def __getattr__(name):
    if name not in _HOMES: raise AttributeError(f"module 'fad' has no attribute '{name}'; it offers {', '.join(__all__)}")
    module, _, function = _HOMES[name].partition(':')
    return getattr(import_module(module), function)

def __dir__(): return sorted({*globals(), *_HOMES})

if 'IPython' in sys.modules:  # tooltips of notebooks show the comments beside parameters
    from .app.tooltips import show_comments
    show_comments()
