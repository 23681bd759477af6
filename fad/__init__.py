"""Signed, unit-bearing measures of facial asymmetry from photos and videos: risk signals for research, never a diagnosis"""
__version__ = "0.1.0"
