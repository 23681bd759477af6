"""Rebuild data/training_clips.parquet: `python tools/training_clips.py FOLDER data/training_clips.parquet`.

Clips of people who are in no cohort are rendered into FOLDER (those that are there stay) and measured at 5 frames per
second. `fad.clips.watch` learned its weights from them, the graph network of nbs/clips/06_graph.ipynb learns from them
in place. A clip takes about 13 CPU seconds to render and half a second to measure."""
import os, sys, warnings
os.environ.update(LP_NUM_THREADS='1', OMP_NUM_THREADS='1')
from pathlib import Path
import pandas as pd
from fad.simulator.scenes import random_clip, simulate_clip
from fad.proof.streams import clip_frames

LOOKALIKES = ('one_sided_smile', 'chewing', 'turning', 'light_change')
FIRST = [('sudden', 'none')]*14+[('creeping', 'none')]*6+[('transient', 'none')]*4+[('none', 'none')]*4
FIRST += [('none', lookalike) for lookalike in LOOKALIKES for _ in range(3)]
HEALTHY = [LOOKALIKES[0], 'none', LOOKALIKES[1], LOOKALIKES[2], LOOKALIKES[3], 'none'] # one after each onset
THEN = [kind for lookalike in HEALTHY for kind in (('sudden', 'none'), ('none', lookalike))]
PLAN = {880000+i: kind for i, kind in enumerate(FIRST)} # seed: course, look-alike
PLAN |= {770000+i: THEN[i%len(THEN)] for i in range(14)}

def one(folder, seed, course, lookalike):
    "One clip's frames, rendered where it is not there"
    video, truth = folder/f'{seed}.mp4', folder/f'{seed}.parquet'
    if not truth.is_file(): simulate_clip(video, random_clip(seed, course, lookalike)).to_parquet(truth, index=False)
    return clip_frames(video, pd.read_parquet(truth)).assign(clip=seed)

if __name__ == '__main__':
    warnings.simplefilter('ignore')
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.concat([one(folder, seed, *kind) for seed, kind in PLAN.items()], ignore_index=True)
    table.to_parquet(out, index=False, compression='zstd')
    print(f"{table['clip'].nunique()} clips, {len(table)} frames, {out.stat().st_size/1e6:.1f} MB")
