"""Rebuild data/bedside: `python tools/bedside_clips.py data/bedside`.

Three simulated people, one calm, one talking, one smiling. In the middle of each clip the left corner of the mouth
falls by about 5 mm. The people are the first of their kind that are drawn: those in whom a moderate weakness lowers
the resting corner so far. Each moves by the first script of the simulator in which he or she mostly does what is
asked. Nobody looks at what is found in the clips. `truth.csv` has one row per frame. Two minutes of one core."""
import os, sys
os.environ.update(LP_NUM_THREADS='1', OMP_NUM_THREADS='1')
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
import numpy as np, pandas as pd
from fad.faces.measures import PUPILS_MM
from fad.simulator.head import random_weakness
from fad.simulator.scenes import movement, random_clip, simulate_clip, truth_of

FALL_MM, MODERATE = 5., (.375, .625)
FIRST, PX, FILM = 990000, 288, dict(seconds=10., fps=20, onset_s=5.)
DOES = dict(calm=('rest',), talking=('speech',), smiling=('smile', 'show_teeth')) # what a script is to be made of
MOSTLY = dict(calm=.85, talking=.6, smiling=.6) # share of the frames

def weak(scene, severity, seed):
    "The scene with a central weakness of the left side"
    return replace(scene, weakness=random_weakness('central', 'left', severity, seed))

def falling(seed):
    "A person whose resting corner falls by `FALL_MM`; None where no moderate weakness does that"
    scene, severities = random_clip(seed, 'sudden').scene, np.arange(.375, .6251, .025)
    heights = [truth_of(weak(scene, s, seed))['mouth_corner_height']*PUPILS_MM for s in (0., *severities)]
    falls = heights[0]-np.array(heights[1:])
    if falls[-1] < FALL_MM or falls[0] > FALL_MM: return None
    return weak(scene, float(np.interp(FALL_MM, falls, severities)), seed)

def scripted(scene, does, mostly):
    "The clip of a person by the first script that is mostly made of this"
    for seed in count(FIRST):
        clip = replace(random_clip(FIRST, 'sudden', **FILM), scene=scene, seed=seed)
        if np.isin(movement(clip)[2], does).mean() >= mostly: return clip

if __name__ == '__main__':
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    people, tables = islice((scene for scene in map(falling, count(FIRST)) if scene), len(DOES)), []
    for (kind, does), scene in zip(DOES.items(), people):
        truth = simulate_clip(folder/f'{kind}.mp4', scripted(scene, does, MOSTLY[kind]), PX)
        truth['mouth_mm'] = truth.mouth_corner_height*PUPILS_MM
        kept = ['t_s', 'doing', 'onset_s', 'palsy', 'side', 'severity', 'mouth_mm', 'yaw_deg', 'pitch_deg']
        tables.append(truth[kept].assign(kind=kind))
    pd.concat(tables).round(3).to_csv(folder/'truth.csv', index=False)
    print(f"{len(DOES)} clips, {sum(f.stat().st_size for f in folder.iterdir())/1e6:.2f} MB")
