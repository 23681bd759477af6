"""Writes data/sessions.parquet: simulated people who come three times, unchanged the second time, changed the third

    python tools/sessions.py data/sessions.parquet

Some 10 minutes on two quiet cores. `nbs/clips/07_change.ipynb` reads it."""
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
import numpy as np, pandas as pd
from tqdm.auto import tqdm
from fad.settings import load_settings
from fad.faces.errors import context
from fad.faces.measures import FEATURES, features
from fad.faces.points import Landmarks, measure_face, quality
from fad.simulator.head import random_weakness
from fad.simulator.scenes import at_site, cohort_person, random_scene, render, SITES, truth_of
from fad.proof.next_picture import SIZES

SEED, PEOPLE, PICTURES, SESSIONS = 91, 100, 3, ('first', 'unchanged', 'changed')

def weaknesses(i, weakness, draw):
    "The weakness of each session: the same twice, then another severity; of healthy people one that begins"
    later = float(np.round(draw.uniform(.05, 1), 3))
    kind = weakness.palsy if weakness.palsy != 'none' else str(draw.choice(['central', 'peripheral']))
    begun = random_weakness(kind, weakness.side, later, i)
    return weakness, weakness, begun if weakness.palsy == 'none' else replace(weakness, severity=later)

def session_scenes(i):
    "Three sessions of three photographs at rest: light, camera and place are the session's, half of the pose too"
    person, weakness, _ = cohort_person(SEED, i)
    draw = np.random.default_rng([SEED, i])
    for name, weak in zip(SESSIONS, weaknesses(i, weakness, draw)):
        setting, site, size = int(draw.integers(2**31)), SITES[draw.integers(len(SITES))], SIZES[draw.integers(3)]
        common = random_scene(person.seed, setting=setting, person=person, weakness=weak, expression='rest')
        for _ in range(PICTURES):
            own = random_scene(person.seed, setting=int(draw.integers(2**31)), person=person, weakness=weak)
            turned = {k: (getattr(common.camera, k)+getattr(own.camera, k))/2**.5 for k in ('yaw', 'pitch', 'roll')}
            camera = replace(common.camera, shift=own.camera.shift, neck=own.camera.neck, **turned)
            scene = replace(common, camera=camera, gaze=own.gaze, intensity=own.intensity, seed=own.seed)
            yield name, at_site(scene, site), size

def measured(i):
    "Measured pictures of one person, with the true values of every one"
    s = load_settings()
    names, scenes, sizes = zip(*session_scenes(i))
    records, arrays = zip(*[measure_face(render(*x), s.landmarks.repeats, s) for x in zip(scenes, sizes)])
    keys = pd.DataFrame(dict(frame_id=[f's{i:04d}_{k}' for k in range(len(scenes))], subject=f's{i:04d}',
        session=names, expression='rest', palsy=scenes[0].weakness.palsy))
    faces = Landmarks(pd.concat([keys, pd.DataFrame(list(records))], axis=1),
        **{k: np.stack([a[k] for a in arrays]) for k in arrays[0]})
    judged = quality(faces, s)
    true = pd.DataFrame([truth_of(scene) for scene in scenes])[list(FEATURES)].add_prefix('true_')
    out = pd.concat([keys, judged[['complete', 'interocular_px', 'sharpness']], context(faces.blendshapes, judged),
        features(faces.xyz, camera_mm=s.measures.camera_mm), true], axis=1)
    return out[out.complete.astype(bool)].drop(columns='complete')

if __name__ == '__main__':
    with ProcessPoolExecutor() as pool: found = list(tqdm(pool.map(measured, range(PEOPLE)), total=PEOPLE))
    table = pd.concat(found, ignore_index=True)
    numbers = table.select_dtypes('number').columns
    table[numbers] = table[numbers].astype('float32').round(6)
    table.to_parquet(sys.argv[1], index=False)
